"""What takes part in making the objects of a class, and what does not."""

import pytest

from leadline.trial.lineage import Versions
from leadline.trial.remade import Making, remade, remade_in

OTHERWISE = {
    "a constant that __init__ reads": """
RATE = 1  # 2
class Cfg:
    def __init__(self): self.rate = RATE
""",
    "an attribute of the class": """
class Cfg:
    RATE = 1  # 2
    def __init__(self): self.rate = self.RATE
""",
    "a constant of a constant": """
BASE = 1  # 2
RATES = {"a": BASE * 2}
class Cfg:
    def __init__(self, rates=RATES): self.rates = dict(rates)
""",
    "what is put into a table": """
RATES = {}
RATES["a"] = 1  # 2
class Cfg:
    def __init__(self): self.rate = RATES["a"]
""",
    "a default of a dataclass": """
import dataclasses
RATE = 1  # 2
@dataclasses.dataclass
class Cfg:
    x: int
    rate: int = RATE
""",
    "a factory of a dataclass": """
import dataclasses
def made(): return [1]  # [2]
@dataclasses.dataclass
class Cfg:
    tags: list = dataclasses.field(default_factory=made)
""",
    "a helper": """
def norm(n): return n * 1  # n * 2
class Cfg:
    def __init__(self, n): self.x = norm(n)
""",
    "a helper of a helper, handed over": """
def norm(n): return n * 1  # n * 2
def all_of(many): return [*map(norm, many)]
class Cfg:
    def __init__(self, many): self.x = all_of(many)
""",
    "a method that is handed over": """
class Cfg:
    def __init__(self, many): self.x = sorted(many, key=self._key)
    def _key(self, one): return one * 1  # one * 2
""",
    "a property": """
class Cfg:
    def __init__(self): self.x = self.y
    @property
    def y(self): return 1  # 2
""",
    "a property that is set": """
class Cfg:
    def __init__(self, x): self.x = x
    @property
    def x(self): return self._x
    @x.setter
    def x(self, value): self._x = value * 1  # value * 2
""",
    "a descriptor that sees what is set": """
class Field:
    def __set__(self, owner, value): owner.__dict__["x"] = value * 1  # value * 2
class Cfg:
    x = Field()
""",
    "a validator of pydantic": """
from pydantic import BaseModel, field_validator
class Cfg(BaseModel):
    x: int
    @field_validator("x")
    @classmethod
    def checked(cls, value): return value * 1  # value * 2
""",
    "a validator that comes": """
from pydantic import BaseModel, model_validator
class Cfg(BaseModel):
    x: int
    #+ @model_validator(mode="after")
    #+ def filled(self): return self
""",
    "a validator of an annotation": """
from typing import Annotated
import pydantic
def cents(value): return value * 1  # value * 2
Cents = Annotated[int, pydantic.BeforeValidator(cents)]
class Cfg(pydantic.BaseModel):
    x: "Cents | None"
""",
    "a converter of attrs": """
import attrs
def conv(value): return value * 1  # value * 2
@attrs.define
class Cfg:
    x: int = attrs.field(converter=conv)
""",
    "a validator of attrs": """
import attrs
@attrs.define
class Cfg:
    x = attrs.field()
    @x.validator
    def _check(self, attribute, value): self.y = 1  # 2
""",
    "a metaclass": """
class Meta(type):
    def __call__(cls, *given):
        made = super().__call__(*given)
        made.tag = 1  # 2
        return made
class Cfg(metaclass=Meta):
    pass
""",
    "a validator of a dataclass of pydantic": """
from pydantic import field_validator
from pydantic.dataclasses import dataclass
@dataclass
class Cfg:
    x: int
    @field_validator("x")
    @classmethod
    def checked(cls, value): return value * 1  # value * 2
""",
    "what is put into the class beneath": """
def made(self): self.x = 1  # 2
class Cfg:
    pass
Cfg.__init__ = made
""",
    "what is put into the class by setattr": """
class Cfg:
    def __init__(self): self.x = self.rate
setattr(Cfg, "rate", 1)
#+ setattr(Cfg, "rate", 2)
""",
    "a setting of an object": """
class Settings:
    RATE = 1  # 2
settings = Settings()
class Cfg:
    def __init__(self): self.rate = settings.RATE
""",
    "what decides which constant it is": """
FLAG = 1  # 0
if FLAG:
    RATE = 1
else:
    RATE = 2
class Cfg:
    def __init__(self): self.rate = RATE
""",
    "an operator": """
class _Part:
    def __add__(self, other): return 1  # 2
class Cfg:
    def __init__(self): self.x = _Part() + 2
""",
    "a common word that is asked of what is made": """
class _Part:
    def get(self): return 1  # 2
class Cfg:
    def __init__(self):
        part = _Part()
        self.x = part.get()
""",
    "what a model is made of": """
from pydantic import BaseModel
class _Part(BaseModel):
    x: int = 1  # 2
class Cfg(BaseModel):
    parts: "list[_Part]"
""",
    "what sets attributes": """
class Cfg:
    def __setattr__(self, name, value): self.__dict__[name] = [value]  # (value,)
""",
    "a decorator of the class": """
def tagged(cls):
    cls.tag = 1  # 2
    return cls
@tagged
class Cfg:
    pass
""",
    "another class that it is made of": """
class _Part:
    def __init__(self): self.x = 1  # 2
class Cfg:
    def __init__(self): self.part = _Part()
""",
    "a method of what it is given": """
class _Part:
    def reckoned(self): return 1  # 2
class Cfg:
    def __init__(self, part): self.x = part.reckoned()
""",
    "what is called by another name": """
def norm(n): return n * 1  # n * 2
class Cfg:
    def __init__(self, n):
        by = norm
        self.x = by(n)
""",
    "a class method that makes it": """
class Cfg:
    def __init__(self, n): self.other = n and Cfg.of(n)
    @classmethod
    def of(cls, n): return cls(n - 1)  # cls(n - 2)
""",
}
AS_BEFORE = {
    "a method that is kept for later": """
import threading
class Cfg:
    def __init__(self):
        self.thread = threading.Thread(target=self.run)
        self.by_name = {"run": self.run}
        self.on_end = lambda: self.run()
    def run(self): return 1  # 2
""",
    "what a module registers it with": """
def registered(cls): return 1  # 2
class Cfg:
    def __init__(self): self.x = 1
HOLDERS = {}
HOLDERS["cfg"] = Cfg
""",
    "what only annotates": """
import dataclasses
class _Part:
    def __init__(self): self.x = 1  # 2
@dataclasses.dataclass
class Cfg:
    parts: list[_Part]
    def total(self) -> _Part: ...
""",
    "a method": """
from pydantic import BaseModel, computed_field
class Cfg(BaseModel):
    x: int
    def total(self): return 1  # 2
""",
    "what is reckoned when it is asked for": """
from pydantic import BaseModel, computed_field
class Cfg(BaseModel):
    x: int
    @computed_field
    @property
    def total(self): return 1  # 2
""",
    "a constant of a method": """
class Cfg:
    RATE = 1  # 2
    def __init__(self): self.x = 0
    def total(self): return self.RATE
""",
    "a constant of the class in a dataclass": """
import dataclasses
from typing import ClassVar
@dataclasses.dataclass
class Cfg:
    x: int
    rate: ClassVar[int] = 1  # 2
""",
    "a name that only a local one has": """
RATE = 1  # 2
class Cfg:
    def __init__(self, RATE): self.x = RATE
""",
    "what a common word may mean": """
class _Part:
    def get(self, name): return 1  # 2
class Cfg:
    def __init__(self, given): self.x = given.get("x")
""",
    "a default that is written over": """
class Cfg:
    x = 1  # 2
    def __init__(self): self.x = 0
""",
    "a decorated method of a plain class": """
import tenacity
class Cfg:
    def __init__(self): self.x = 0
    @tenacity.retry
    def run(self): return 1  # 2
""",
    "what runs as a program": """
RATE = {"a": 1}
class Cfg:
    def __init__(self): self.x = RATE
def main(given): return 1  # 2
if __name__ == "__main__":
    main(RATE)
""",
}


def _both(text):
    """A change stands behind its line; `#+ ` begins a line that comes."""
    old, new = [], []
    for line in text.splitlines():
        if "#+ " in line:
            new.append(line.replace("#+ ", ""))
            continue
        said, _, other = line.partition("  # ")
        old.append(said)
        new.append(_put(said, other) if other else said)
    return "\n".join(old), "\n".join(new)


def _put(line, other):
    for head in ("return ", "= "):
        if head in line:
            return line[: line.rindex(head) + len(head)] + other
    raise AssertionError(line)


@pytest.mark.parametrize("text", OTHERWISE.values(), ids=OTHERWISE)
def test_what_takes_part(text):
    old, new = _both(text)
    assert old != new
    assert "Cfg" in remade(old, new)
    assert "Cfg" in remade(new, old)


@pytest.mark.parametrize("text", AS_BEFORE.values(), ids=AS_BEFORE)
def test_what_takes_no_part(text):
    old, new = _both(text)
    assert old != new
    assert "Cfg" not in remade(old, new)
    assert "Cfg" not in remade(new, old)


SERVICE = {
    "/srv/shop/__init__.py": "from .conf import RATE as RATE\n",
    "/srv/shop/conf.py": "RATE = 1\nOTHER = 1\n",
    "/srv/shop/base.py": """
from . import conf
class Base:
    def __init__(self): self.rate = conf.RATE
""",
    "/srv/shop/names.py": "from .base import *\nfrom shop import RATE\n",
    "/srv/shop/bills.py": """
import shop.names as names
class Bill(names.Base):
    def total(self): return 1
class Note:
    def __init__(self):
        from shop import RATE
        self.rate = RATE
class Plain:
    def __init__(self): self.other = names.nothing
""",
}


def _find(file, level, name):
    stem = "/srv/shop/" * bool(level) + name.replace(".", "/")
    ends = stem if level else f"/srv/{stem}"
    files = [f"{ends}.py", f"{ends}/__init__.py".replace("//", "/")]
    return next((one for one in files if one in SERVICE), "")


@pytest.mark.parametrize(
    ("changed", "old", "new", "names"),
    [
        ("conf.py", "RATE = 1", "RATE = 2", ["Bill", "Note"]),
        ("conf.py", "OTHER = 1", "OTHER = 2", []),
        ("bills.py", "return 1", "return 2", []),
        ("base.py", "self.rate", "self.rates", ["Bill"]),
        ("names.py", "from shop import RATE\n", "", []),
    ],
)
def test_it_is_found_through_modules_that_are_the_same(changed, old, new, names):
    file = f"/srv/shop/{changed}"
    text = SERVICE[file].replace(old, new)
    making = Making(Versions({file: SERVICE[file]}, {file: text}, _find, SERVICE.get))
    found = {
        one: making.otherwise("/srv/shop/bills.py", one) for one in ("Bill", "Note", "Plain")
    }
    assert [name for name, said in found.items() if said] == names
    if changed == "conf.py" and names:
        assert found["Bill"] == "RATE (conf.py:1)"


def test_changed_files_alone_tell_what_they_can():
    files = {one: SERVICE[one] for one in ("/srv/shop/conf.py", "/srv/shop/base.py")}
    new = files | {"/srv/shop/conf.py": "RATE = 2\nOTHER = 1\n"}
    assert remade_in(files, new) == {"/srv/shop/base.py": ["Base"]}


def test_the_entry_is_no_sign_of_itself():
    old = """
from web import View, signed_in
class Page(View):
    @signed_in
    def get(self): return 1
"""
    texts = {"/srv/page.py": old}, {"/srv/page.py": old.replace("return 1", "return 2")}
    versions = Versions(*texts, lambda *_: "")
    assert Making(versions).otherwise("/srv/page.py", "Page") == "Page.get (page.py:5)"
    entered = Making(versions, ("/srv/page.py", "Page.get"))
    assert entered.otherwise("/srv/page.py", "Page") == ""
