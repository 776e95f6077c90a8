"""A diff that git or diff(1) made comes out as the text that they made it from."""

import os
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadline.trial import patch
from leadline.wire.errors import RefusedError, UsageError

QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
WORDS = ["a = 1", "    b", "", "-- c", "++ d", "-- ", "@@ -1 +1 @@", "diff --git a/b c", "\\ e"]
lines = st.lists(st.sampled_from(WORDS), max_size=25)
ends = st.sampled_from(["\n", "\r\n"])
last = st.booleans()
context = st.integers(0, 4)


def text_of(words, end, ended):
    text = "".join(word + end for word in words)
    return text if ended else text.removesuffix(end)


def run(*command, cwd, code=(0, 1)):
    clean = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(cwd)}
    done = subprocess.run(command, cwd=cwd, capture_output=True, check=False, env=clean)
    assert done.returncode in code, done.stderr
    return done.stdout.decode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("repository")


def made_by(tool, folder, old, new, around):
    (folder / "old").mkdir(exist_ok=True)
    (folder / "new").mkdir(exist_ok=True)
    (folder / "old" / "x.py").write_bytes(old.encode())
    (folder / "new" / "x.py").write_bytes(new.encode())
    command = {
        "git": ["git", "diff", "--no-index", f"-U{around}", "--", "old/x.py", "new/x.py"],
        "diff": ["diff", f"-U{around}", "old/x.py", "new/x.py"],
    }[tool]
    return run(*command, cwd=folder)


@pytest.mark.parametrize("tool", ["git", "diff"])
@QUICK
@given(old=lines, new=lines, end=ends, ended=last, also=last, around=context)
def test_what_a_tool_takes_apart_is_put_together(
    folder, tool, old, new, end, ended, also, around
):
    before, after = text_of(old, end, ended), text_of(new, end, also)
    diff = made_by(tool, folder, before, after, around)
    if before == after:
        assert diff == ""
        return
    (one,) = patch.parse(diff)
    made = patch.apply(one, before)
    assert made.text == after
    assert made.notes == ()
    kept = [x for n, x in enumerate(patch.lines_of(before), 1) if n not in made.removed]
    same = [x for n, x in enumerate(patch.lines_of(after), 1) if n not in made.added]
    assert kept == same


@QUICK
@given(
    old=st.lists(st.integers(0, 99), min_size=12, max_size=30, unique=True),
    place=st.integers(3, 8),
    above=st.lists(st.integers(200, 299), max_size=20),
)
def test_a_hunk_that_stands_elsewhere_is_found(folder, old, place, above):
    before = "".join(f"{one}\n" for one in old)
    after = "".join(f"{one}\n" for one in [*old[:place], 100, *old[place + 1 :]])
    (one,) = patch.parse(made_by("git", folder, before, after, 3))
    head = "".join(f"{one}\n" for one in above)
    made = patch.apply(one, head + before)
    assert made.text == head + after
    assert len(made.notes) == bool(above)


@QUICK
@given(
    old=st.lists(st.sampled_from("abc"), min_size=1, max_size=20),
    new=st.lists(st.sampled_from("abc"), min_size=1, max_size=20),
    other=st.lists(st.sampled_from("abc"), min_size=1, max_size=20),
)
def test_another_text_never_gets_what_git_would_not_make_of_it(folder, old, new, other):
    before, after, text = (text_of(one, "\n", True) for one in (old, new, other))
    diff = made_by("git", folder, before, after, 3)
    if not diff:
        return
    (folder / "old" / "x.py").write_text(text)
    (folder / "x.diff").write_text(diff.replace("new/x.py", "old/x.py"))
    done = subprocess.run(
        ["git", "apply", "x.diff"], cwd=folder, capture_output=True, check=False
    )
    (one,) = patch.parse(diff)
    try:
        made = patch.apply(one, text).text
    except RefusedError:
        return
    if done.returncode == 0:  # git does not look further up or down for what began a file
        assert made == (folder / "old" / "x.py").read_text()


def test_a_repository_tells_new_gone_and_renamed_files(tmp_path):
    run("git", "init", "-q", cwd=tmp_path)
    run("git", "config", "user.email", "a@example.org", cwd=tmp_path)
    run("git", "config", "user.name", "a", cwd=tmp_path)
    body = "".join(f"line_{n} = {n}\n" for n in range(20))
    for name in ("kept.py", "gone.py", "moved.py", "two words.py", "é.py", "mode.py"):
        (tmp_path / name).write_text(body + f"# {name}\n")
    (tmp_path / "image.bin").write_bytes(b"\0\1")
    run("git", "add", "-A", cwd=tmp_path)
    run("git", "commit", "-q", "-m", "first", cwd=tmp_path)
    (tmp_path / "gone.py").unlink()
    (tmp_path / "moved.py").rename(tmp_path / "here.py")
    (tmp_path / "here.py").write_text((tmp_path / "here.py").read_text() + "more = 1\n")
    (tmp_path / "new.py").write_text("fresh = 1\n")
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "two words.py").write_text("")
    (tmp_path / "é.py").write_text("short = 1")
    (tmp_path / "mode.py").chmod(0o755)
    (tmp_path / "image.bin").write_bytes(b"\0\2")
    run("git", "add", "-A", cwd=tmp_path)
    diff = run("git", "diff", "--cached", "-M", cwd=tmp_path)
    found = {one.name: one for one in patch.parse(diff)}
    assert {name: str(one.kind) for name, one in found.items()} == {
        "gone.py": "deleted",
        "here.py": "renamed",
        "new.py": "created",
        "empty.py": "created",
        "two words.py": "modified",
        "é.py": "modified",
        "image.bin": "binary",
    }
    assert found["here.py"].old == "moved.py"
    assert patch.apply(found["new.py"], "").text == "fresh = 1\n"
    assert patch.apply(found["gone.py"], body + "# gone.py\n").text == ""
    assert patch.apply(found["é.py"], body + "# é.py\n").text == "short = 1"
    mailed = f"From 1\nSubject: x\n\n--- a rule\n---\n x | 1 +\n\n{diff}-- \n2.39.5\n\n"
    assert patch.parse(mailed)[0].name == patch.parse(diff)[0].name
    assert len(patch.parse(mailed)) == len(found)


def test_folders_that_diff_compares_tell_new_and_gone_files(tmp_path):
    for side in ("a", "b"):
        (tmp_path / side).mkdir()
    (tmp_path / "a" / "gone.py").write_text("x = 1\n")
    (tmp_path / "b" / "new.py").write_text("x = 2\n")
    found = patch.parse(run("diff", "-ruN", "a", "b", cwd=tmp_path))
    assert {(one.name, str(one.kind)) for one in found} == {
        ("gone.py", "deleted"),
        ("new.py", "created"),
    }


DIFF = """\
--- a/x.py
+++ b/x.py
@@ -1,3 +1,3 @@
 a
-b
+B
 c
"""


def applied(diff, text):
    (one,) = patch.parse(diff)
    return patch.apply(one, text).text


@pytest.mark.parametrize(
    ("diff", "text", "made"),
    [
        (DIFF, "a\r\nb\r\nc\r\n", "a\r\nB\r\nc\r\n"),
        (DIFF.replace("\n", "\r\n"), "a\nb\nc\n", "a\nB\nc\n"),
        (DIFF, "a\nb\nc", "a\nB\nc\n"),
        (DIFF.replace(" c\n", ""), None, None),
        (DIFF.replace(" a\n", "\n"), "\nb\nc\n", "\nB\nc\n"),
        (DIFF, "\ufeffa\nb\nc\n", "\ufeffa\nB\nc\n"),
    ],
    ids=["dos text", "dos diff", "no last end", "cut short", "stripped blank", "mark"],
)
def test_what_transport_did_to_the_ends_of_lines(diff, text, made):
    if made is None:
        with pytest.raises(UsageError, match="ends too early") as raised:
            patch.parse(diff)
        assert raised.value.slug == "bad-patch"
    else:
        assert applied(diff, text) == made


@pytest.mark.parametrize(
    ("diff", "said"),
    [
        ("", "no unified diff"),
        ("hello\n", "no unified diff"),
        ("\x1b[1m--- a/x.py\x1b[m\n\x1b[1m+++ b/x.py\x1b[m\n", "which has colours"),
        ("@@ -1 +1 @@\n-a\n+b\n", "Line 1 of the diff begins a hunk"),
        ("*** a\n--- b\n***************\n", "context diff"),
        (DIFF.replace("-1,3", "-1,2"), "has other lines|goes on at line 7"),
        (DIFF.replace("-b", "*b"), "hunk on line 3 .* ends before line 5"),
        (DIFF + "+more\n", "goes on at line 8"),
        (DIFF.replace("@@ -1,3 +1,3 @@", "@@ here @@"), "Line 3 of the diff does not say"),
        ("diff --cc x.py\nindex 1,2..3\n", "of a merge"),
    ],
)
def test_what_is_no_diff_is_told_with_its_line(diff, said):
    with pytest.raises(UsageError, match=said) as raised:
        patch.parse(diff)
    assert raised.value.slug == "bad-patch"


def test_what_does_not_fit_names_both_lines():
    with pytest.raises(RefusedError) as raised:
        applied(DIFF, "a\nx\nc\n")
    assert raised.value.slug == "not-applicable"
    assert raised.value.message == (
        "x.py: the hunk on line 3 of the diff does not fit: where it has 'b', line 2 reads 'x'."
    )
    with pytest.raises(RefusedError, match="already"):
        applied(DIFF, "a\nB\nc\n")


@pytest.mark.parametrize(("text", "wanted", "reads"), [
    ("a\nb \nc\n", "'b'", "'b '"),
    ("a\n\tb\nc\n", "'b'", "'\\tb'"),
    ("a\nb\n", "'c'", "nothing any more: the file ends before"),
])  # fmt: skip
def test_lines_that_differ_in_blanks_alone_are_shown_with_them(text, wanted, reads):
    with pytest.raises(RefusedError) as raised:
        applied(DIFF, text)
    assert f"where it has {wanted}, line" in raised.value.message
    assert raised.value.message.endswith(f" reads {reads}.")
