"""A report of a verification as `leadline verify` sends it, with a call of every sort."""

import copy
from typing import Any

DIFF = """\
--- a//srv/shop/pricing.py
+++ b//srv/shop/pricing.py
@@ -10,6 +10,8 @@ def spread(total, lines):
     rest = total
     open_lines = [one for one in lines if one.discountable]
-    share = total / len(open_lines)
+    if not open_lines:
+        return {}
+    share = total // len(open_lines)
     for one in open_lines:
         rest -= share
     return rest
"""
REPORT: dict[str, Any] = {
    "verdict": "changes behaviour",
    "sentence": "changes behaviour: 2 of 2 failing calls meet the expectation, 1 of 6 good "
    "calls differ; control agreed on 9 of 10; changed lines reached by 8",
    "exit_status": 1,
    "reason": "",
    "service": "shop",
    "entry": "shop.pricing:quote",
    "place": "fresh sealed process, CPython 3.13.0",
    "fails": "raises ZeroDivisionError",
    "expect": 'result["total"] > 0',
    "candidate": {
        "title": "fix.diff",
        "digest": "ab" * 32,
        "files": ["/srv/shop/pricing.py"],
        "notes": ["found 2 lines further down"],
        "diff": DIFF,
    },
    "shares": {
        "calls": 10, "agreed": 9, "reached": 8, "failing": 2, "met": 2, "others": 6, "same": 4,
        "differing": 1, "unknown": 1, "failing_lost": 0, "untouched": 0, "bound": 0.47,
    },
    "cases": [
        {
            "number": 1, "sort": "failing", "arguments": {"total": "500", "lines": "[]"},
            "live": "raised ZeroDivisionError('division by zero')",
            "control": "raised ZeroDivisionError('division by zero')",
            "candidate": "returned {'total': 2500}", "met": True, "differences": [],
            "masked": [], "swallowed": "", "reason": "",
        },
        {
            "number": 4, "sort": "differing", "arguments": {"total": "501"},
            "live": "returned 250.5", "control": "returned 250.5", "candidate": "returned 250",
            "met": None, "masked": ["result['at']"], "swallowed": "", "reason": "",
            "differences": [
                {"where": "result['share']", "live": "250.5", "rerun": "250"},
                {"where": "argument lines[0].rest", "live": "0.0", "rerun": "0"},
            ],
        },
        {
            "number": 6, "sort": "unknown", "arguments": {}, "live": "returned 1",
            "control": "returned 1", "candidate": "", "met": None, "differences": [],
            "masked": [], "swallowed": "", "reason": "the candidate: it took longer than 5 s",
        },
        {
            "number": 7, "sort": "control", "arguments": {"total": "7"}, "live": "returned 7",
            "control": "returned 8", "candidate": "", "met": None, "differences": [],
            "masked": [], "swallowed": "", "reason": "result was 7, and is 8 in the control",
        },
    ],
    "coverage": [
        {"file": "/srv/shop/pricing.py", "new": False, "lines": {"12": 8}},
        {"file": "/srv/shop/pricing.py", "new": True, "lines": {"12": 8, "13": 0, "14": 6}},
    ],
    "paths": 3,
    "noise": {"result['at']": 8},
    "unknown": {"result was 7, and is 8 in the control": 1},
    "took_s": 3.2,
    "runs": 30,
    "notes": ["run with the code in /srv/other"],
    "schema_version": 1,
}  # fmt: skip


def report(**more: Any) -> dict[str, Any]:
    """Return a report of one's own, with some members changed."""
    return copy.deepcopy(REPORT) | more


def said_everywhere(text: str) -> dict[str, Any]:
    """Return a report in which every text that may be captured is `text`."""
    found = report()
    for name in ("sentence", "reason", "entry", "place", "fails", "expect"):
        found[name] = text
    found["notes"] = [text]
    found["candidate"] |= {"title": text, "notes": [f"n {text}"], "files": [text]}
    lines = text.replace("\n", " ")
    found["candidate"]["diff"] = (
        f"--- a/{lines}\n+++ b/{lines}\n@@ -1,2 +1,2 @@ {lines}\n"
        f" {lines}\n-{lines}\n+x {lines}\n{lines}\n"
    )
    found["coverage"] = [{"file": text, "new": True, "lines": {"2": 0}}]
    for name in ("noise", "unknown"):
        found[name] = {text: 1}
    for case in found["cases"]:
        case["arguments"] = {text: text}
        for name in ("live", "control", "candidate", "swallowed", "reason"):
            case[name] = text
        case["masked"] = [text]
        case["differences"] = [{"where": text, "live": text, "rerun": text}]
    return found
