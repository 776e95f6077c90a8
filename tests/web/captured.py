"""Captured text as bad as it gets: markup, and characters that hide or turn text around."""

HOSTILE = [
    "<script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "{{ 7 * 7 }}",
    "a\x00b\x1b[31mc\x7f\x85",
    "user\u202egnp.exe\u2066\u2069",
    "zero\u200bwidth\ufeff\u2028line",
    "\ud800 lone \udfff",
    "tag\U000e0041 filler\u3164\u115f",
    "שלום عربي 日本 é 😀",
]
