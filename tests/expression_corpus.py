"""The corpus of attacks on expressions, as data: see tests/expression/corpus/README.md."""

import importlib.util
import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

CORPUS = Path(__file__).parent / "expression" / "corpus"
QUESTIONS = ("condition", "template", "watch")
ANSWERS = ("value", "unknown", "refused", "text")


@dataclass(frozen=True, slots=True)
class Case:
    """One question, and what must come back."""

    question: str
    text: str
    answer: str
    says: object


def read_corpus(file: str) -> list[Case]:
    """Return the cases of one file; raises `ValueError` for a table that is no case."""
    found = []
    for table in tomllib.loads((CORPUS / f"{file}.toml").read_text("utf-8"))["case"]:
        (question,) = [name for name in QUESTIONS if name in table]
        (answer,) = [name for name in ANSWERS if name in table]
        if len(table) != 2:
            raise ValueError(f"{file}: {table}")
        found.append(Case(question, table[question], answer, table[answer]))
    return found


def read_objects() -> ModuleType:
    """Return the module that builds the variables of the cases."""
    spec = importlib.util.spec_from_file_location("corpus_objects", CORPUS / "objects.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
