"""The dark palette stands in the style sheet twice: chosen by hand, and by the system."""

import re
from pathlib import Path

import leadline.web

BASE = Path(leadline.web.__file__).with_name("static") / "css" / "base.css"


def test_dark_is_the_same_whoever_chose_it() -> None:
    sheet = BASE.read_text("utf-8")
    chosen, system = (
        re.search(re.escape(selector) + r" \{(.*?)\}", sheet, re.DOTALL)[1].split()
        for selector in (':root[data-theme="dark"]', ':root:not([data-theme="light"])')
    )
    assert len(chosen) > 30
    assert chosen == system
