"""What a changed function sets outside of itself, which a later twin has already."""

import pytest

from leadline.trial.candidate import of_texts
from leadline.verify.effects import effect_of

NONE = [
    "    found = [x for x in a]\n    found[0] += 1\n    return found",
    "    log.info('%s', a)\n    print(a)\n    return 1",
    "    found = {}\n    for one in a:\n        found[one] = 1\n    return found",
    "    first, *others = a\n    return first",
    "    db = sqlite3.connect(a)\n    db.execute('select 1')\n    db.close()\n    return 1",
    "    found: list[int] = []\n    found.append(1)\n    return found",
    "    found = set()\n    return [x for x in a if not (x in found or found.add(x))]",
    "    return reckoned(a) + round(max(a)) + Decimal(1)",
]
SOME = [
    "    STATUS[a] = 1",
    "    self.state = 1",
    "    a.state = 1",
    "    a[0] += 1",
    "    del STATUS[a]",
    "    SEEN.add(a)",
    "    await OUT.put(a)",
    "    global made\n    made = a",
    "    found = STATUS.setdefault(a, {})\n    found['x'] = 1",
    "    found = {}\n    found = STATUS\n    found['x'] = 1",
    "    for one in a:\n        one.state = 2",
    "    for STATUS['x'] in a:\n        pass",
    "    one, two = a\n    one.state = 1",
    "    return [save(x) for x in a]\n    register(a)",
    "    with open(a) as file:\n        return file.read()",
    "    number = remember(a)\n    return number",
    "    return {'id': keeping(a)}",
    "    return claim(a) if a else None",
    "    return object.__setattr__(a, 'state', 1)",
    "    return STATUS.setdefault(a, 1)",
    "    a in SEEN or SEEN.add(a)",
    "    made = Order.objects.create(a=a)\n    return made",
    "    if SEEN.pop(a, None):\n        return 1",
]


def effect(old, new, entry="app:f"):
    return effect_of([of_texts("/srv/app.py", old, new)], entry)


def f(body):
    return (
        f"async def f(a, self=None):\n{body}\n"
        "def reckoned(a):\n    return len(a)\n"
        "def keeping(a):\n    KEPT[a] = a\n    return a\n"
    )


@pytest.mark.parametrize("body", NONE)
def test_what_a_call_keeps_for_itself_is_no_effect(body):
    assert effect(f(body), f(f"    b = a\n{body}")) == ""


@pytest.mark.parametrize("body", SOME)
def test_what_others_may_find_is_one_on_either_side(body):
    plain = f("    return a")
    assert effect(f(body), plain).startswith("app.py:")
    assert effect(plain, f(body)).startswith("app.py:")


@pytest.mark.parametrize(
    "body",
    [
        "    return sessions.get(a)",
        "    return len(GROUPS[a])",
        "    return a in registry",
        "    return sorted(a, key=counted)",
        "    return [*map(registry, a)]",
    ],
)
@pytest.mark.parametrize("brought", ["sessions, GROUPS, registry, counted", "*"])
def test_what_another_file_has_made_may_do_anything(body, brought):
    head = f"from store import {brought}\n"
    assert effect(head + f(body), head + f("    return a")).startswith("app.py:")
    assert effect(head + f("    return a"), head + f("    return [a]")) == ""


def test_it_is_of_changed_functions_and_of_the_entry():
    other = "def g():\n    STATUS[1] = 1\n"
    assert effect(other + f("    return 1"), other + f("    return 2")) == ""
    assert effect(f("    return 1"), f("    return 2"), "web:serve") == "web:serve"
    entry = "class A:\n    def e(self):\n        self.n = f(1)\n"
    assert effect(entry + f("    return 1"), entry + f("    return 2"), "app:A.e") == "app.py:3"
