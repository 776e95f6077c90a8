"""An overlay serves the new text of changed files to a process that imports them, and leaves
the disk as it was."""

import json
import subprocess
import sys
import textwrap
import zipfile

import pytest

from leadline.trial.overlay import Overlay

OLD = {
    "shop/__init__.py": "from shop.pricing import quote\n",
    "shop/pricing.py": "def quote():\n    return 'old'\n",
    "shop/other.py": "from . import pricing\nx = pricing.quote()\n",
    "spaced/deep/inner.py": "where = 'old'\n",
    "plain.py": "def f():\n    return 1 / 0\n",
}


@pytest.fixture
def root(tmp_path):
    for name, text in OLD.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def run(root, changes, code, *paths):
    """Run `code` in a fresh process whose imports see `changes`; return what it prints."""
    script = textwrap.dedent("""\
        import json, sys
        sys.path[0:0] = json.loads(sys.argv[2])
        from leadline.trial.overlay import Overlay
        overlay = Overlay(json.loads(sys.argv[1]))
        late = overlay.install()
        """) + textwrap.dedent(code)
    absolute = {str(root / name): text for name, text in changes.items()}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            script,
            json.dumps(absolute),
            json.dumps([*map(str, paths)] or [str(root)]),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=root.parent,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def listed(root):
    return sorted(str(one.relative_to(root)) for one in root.rglob("*"))


def test_a_module_is_served_as_if_it_were_on_the_disk(root):
    new = "def quote():\n    # new\n    return 'new'\n"
    said = run(
        root,
        {"shop/pricing.py": new},
        """
        import inspect, shop, shop.other
        from importlib import reload
        print(shop.quote(), shop.other.x)
        module = shop.pricing
        print(module.__file__ == module.__spec__.origin == module.__spec__.loader.path)
        print(module.__file__, module.__package__, module.quote.__code__.co_filename)
        print(inspect.getsource(module.quote).split("\\n")[1].strip())
        print(inspect.getsource(module).count("new"))
        print(overlay.served, late)
        reload(module)
        print(module.quote(), overlay.served)
        """,
    )
    file = str(root / "shop/pricing.py")
    assert said == [
        "new new",
        "True",
        f"{file} shop {file}",
        "# new",
        "2",
        "['shop.pricing'] []",
        "new ['shop.pricing', 'shop.pricing']",
    ]


def test_compiled_files_are_neither_read_nor_written(root):
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(root)], check=True)
    before = listed(root)
    assert run(root, {"plain.py": "x = 'new'\n"}, "import plain; print(plain.x)") == ["new"]
    assert listed(root) == before
    assert run(root, {}, "import plain; print(hasattr(plain, 'x'))") == ["False"]


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"shop/new.py": "x = 1"}, "import shop.new; print(shop.new.x)", "1"),
        ({"new.py": "x = 1"}, "import new; print(new.x)", "1"),
        (
            {"fresh/__init__.py": "from .a import x", "fresh/a.py": "x = 1"},
            "import fresh; print(fresh.x, fresh.__path__ != [])",
            "1 True",
        ),
        ({"fresh/deep/a.py": "x = 1"}, "from fresh.deep import a; print(a.x)", "1"),
        (
            {"spaced/deep/inner.py": "x = 1"},
            "from spaced.deep import inner; print(inner.x)",
            "1",
        ),
        (
            {"spaced/deep/more.py": "x = 1"},
            "from spaced.deep import more, inner; print(more.x)",
            "1",
        ),
        ({"spaced/__init__.py": "x = 1"}, "import spaced.deep.inner; print(spaced.x)", "1"),
        ({"plain/__init__.py": "x = 1"}, "import plain; print(plain.x)", "1"),
        (
            {"shop/__init__.py": "x = 1"},
            "import shop; print(shop.x, hasattr(shop, 'quote'))",
            "1 False",
        ),
        ({"shop.py": "x = 1"}, "import shop; print(shop.quote())", "old"),
        (
            {"plain.py": "# coding: latin-1\nx = '\xe9'"},
            "import plain; print(ascii(plain.x))",
            r"'\xe9'",
        ),
        ({"plain.py": "x = 1\r\ny = 2\r\n"}, "import plain; print(plain.x + plain.y)", "3"),
        ({"plain.py": r"x = '\d'"}, "import plain; print(plain.x)", r"\d"),
    ],
)
def test_new_modules_packages_and_namespaces(root, changes, code, said):
    before = listed(root)
    assert run(root, changes, f"sys.dont_write_bytecode = True; {code}") == [said]
    assert listed(root) == before


def test_a_file_that_goes_is_not_found(root):
    said = run(
        root,
        {"plain.py": None, "shop/pricing.py": None},
        """
        for name in ("plain", "shop"):
            try:
                __import__(name)
            except ModuleNotFoundError as error:
                print(error)
        """,
    )
    assert said == ["No module named 'plain'", "No module named 'shop.pricing'"]


def test_the_first_folder_of_the_path_comes_first(root, tmp_path):
    first = tmp_path / "first"
    first.mkdir()
    said = run(
        root,
        {"plain.py": "x = 'second'"},
        "import plain; print(plain.x)",
        first,
        root,
    )
    assert said == ["second"]
    (first / "plain.py").write_text("x = 'first'\n")
    assert run(root, {"plain.py": "x = 2"}, "import plain; print(plain.x)", first, root) == [
        "first"
    ]


def test_a_traceback_shows_the_new_text(root):
    said = run(
        root,
        {"plain.py": "# a line\ndef f():\n    return 1 / len([])  # new\n"},
        """
        import linecache, plain, traceback
        try:
            plain.f()
        except ZeroDivisionError as error:
            linecache.checkcache()
            print(traceback.format_exception(error)[-2].splitlines()[1].strip())
        """,
    )
    assert said == ["return 1 / len([])  # new"]


def test_other_finders_and_archives_are_asked_as_ever(root):
    with zipfile.ZipFile(root / "z.zip", "w") as archive:
        archive.writestr("zipped.py", "x = 'old'\n")
    new = {"z.zip/zipped.py": "x = 'new'\n", "plain.py": "x = 'new'\n"}
    said = run(
        root,
        new,
        f"""
        from importlib.machinery import PathFinder
        from importlib.util import spec_from_file_location
        import sys
        sys.path.append({str(root / "z.zip")!r})
        class Editable:
            def find_spec(self, name, path=None, target=None):
                if name == "given":
                    return spec_from_file_location(name, {str(root / "plain.py")!r})
        sys.meta_path.append(Editable())
        sys.modules.pop("plain", None)
        import zipped, given, email.charset, json.decoder
        print(zipped.x, zipped.__file__ == {str(root / "z.zip/zipped.py")!r})
        print(hasattr(given, "x"))
        """,
    )
    assert said == ["new True", "True"]


def test_what_was_imported_before_is_named_and_all_is_put_back(root):
    said = run(
        root,
        {},
        f"""
        import plain
        overlay = Overlay({{ {str(root / "plain.py")!r}: "x = 1" }})
        before = list(sys.meta_path)
        print(overlay.install())
        overlay.remove()
        print(sys.meta_path == before)
        with overlay:
            print(sys.meta_path[0] is overlay)
        """,
    )
    assert said == ["['plain']", "True", "True"]


def test_two_overlays_stand_one_behind_the_other(root):
    said = run(
        root,
        {"plain.py": "x = 'first'", "shop/other.py": "x = 'first'"},
        f"""
        with Overlay({{ {str(root / "plain.py")!r}: "x = 'second'" }}):
            import plain, shop.other
            print(plain.x, shop.other.x)
            try:
                import no_such_module
            except ModuleNotFoundError:
                print("not there")
        """,
    )
    assert said == ["second first", "not there"]


def test_an_overlay_of_nothing_finds_what_is_there():
    spec = Overlay({}).find_spec("json")
    assert spec.origin == json.__spec__.origin
    assert Overlay({}).find_spec("no_such_module") is None
