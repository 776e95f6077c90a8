"""Real functions and calls of them: pure ones of well-known packages, with made-up input."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

WORDS = (
    "alpha beta gamma delta the quick brown fox jumps over lazy dog 42 3.14 -7 émigré naïve "
    "select from where a=b x;y=z \"quoted\" 'single' <b>bold</b> &amp; http://a.example/p?q=1 "
    "tab\tnew\nline [list] {dict} 100% $5 C:\\path /unix/path e-mail@example.org 2024-02-29"
).split(" ")


@dataclass(frozen=True)
class Subject:
    """`make` gives the arguments of one call."""

    entry: str
    make: Callable[[random.Random], tuple[Any, ...]]


def text(chance: random.Random, least: int = 0, most: int = 12) -> str:
    return " ".join(chance.choices(WORDS, k=chance.randint(least, most)))


def word(chance: random.Random) -> str:
    return chance.choice(WORDS)


def rows(chance: random.Random) -> list[tuple[str, str]]:
    return [(word(chance), text(chance, 1, 4)) for _ in range(chance.randint(0, 6))]


def header(chance: random.Random) -> str:
    parts = ("text/html; charset=utf-8", "form-data; name=\"a b\"; filename=x.txt", "", "a", ";",
             "attachment; filename*=UTF-8''na%C3%AFve.txt", "x; y", "a=b; c=\"d;e\"")  # fmt: skip
    return chance.choice(parts)


SUBJECTS = (
    Subject("click.formatting:wrap_text", lambda c: (text(c), c.randint(10, 60), "", "  ")),
    Subject("click.formatting:measure_table", lambda c: (rows(c),)),
    Subject("click.parser:_split_opt", lambda c: (c.choice(("-a", "--all", "/x", "a", "", "---")),)),
    Subject("werkzeug.http:parse_options_header", lambda c: (header(c),)),
    Subject("werkzeug.http:quote_etag", lambda c: (word(c).replace('"', ""), c.random() < 0.5)),
    Subject("werkzeug.http:unquote_etag", lambda c: (c.choice(('"a"', 'W/"b"', "c", "", 'w/"d"')),)),
    Subject("werkzeug.http:parse_list_header", lambda c: (", ".join(c.choices(("a", '"b, c"', ""), k=3)),)),
    Subject("werkzeug.http:dump_options_header", lambda c: (word(c), {"name": word(c), "empty": None})),
    Subject("werkzeug.http:parse_age", lambda c: (c.choice(("5", "-1", "x", "", "99999")),)),
    Subject("werkzeug.http:http_date", lambda c: (c.randint(0, 2_000_000_000),)),
    Subject("werkzeug.utils:secure_filename", lambda c: (text(c, 1, 3),)),
    Subject("jinja2.filters:do_filesizeformat", lambda c: (c.randint(0, 10**c.randint(1, 12)), c.random() < 0.5)),
    Subject("jinja2.filters:do_title", lambda c: (text(c),)),
    Subject("jinja2.filters:do_wordcount", lambda c: (text(c),)),
    Subject("jinja2.filters:do_int", lambda c: (word(c), c.randint(0, 9))),
    Subject("jinja2.filters:do_round", lambda c: (c.uniform(-9, 9), c.randint(0, 2), c.choice(("common", "ceil", "floor", "up")))),
    Subject("jinja2.filters:do_indent", lambda c: (text(c), c.randint(1, 4), c.random() < 0.5)),
    Subject("jinja2.filters:do_batch", lambda c: (list(range(c.randint(0, 9))), c.randint(1, 4), c.choice((None, "x")))),
    Subject("jinja2.filters:do_slice", lambda c: (list(range(c.randint(0, 9))), c.randint(1, 4))),
    Subject("sqlparse.utils:split_unquoted_newlines", lambda c: (text(c),)),
    Subject("sqlparse.utils:remove_quotes", lambda c: (c.choice(('"a"', "'b'", "c", "`d`", None, "")),)),
    Subject("datasette.utils:path_from_row_pks", lambda c: ({"id": word(c), "n": 3}, ["id", "n"][: c.randint(1, 2)], c.random() < 0.3)),
    Subject("datasette.utils:compound_keys_after_sql", lambda c: (["a", "b", "c"][: c.randint(1, 3)], c.randint(0, 3))),
    Subject("datasette.utils:escape_sqlite", lambda c: (word(c),)),
    Subject("datasette.utils:escape_fts", lambda c: (text(c),)),
    Subject("datasette.utils:to_css_class", lambda c: (text(c, 1, 2),)),
    Subject("datasette.utils:format_bytes", lambda c: (c.randint(0, 10**c.randint(1, 13)),)),
    Subject("datasette.utils:is_url", lambda c: (c.choice(("http://a", "x", "https:// b", "http://a b", 5)),)),
    Subject("datasette.utils:tilde_encode", lambda c: (text(c, 1, 3),)),
    Subject("datasette.utils:tilde_decode", lambda c: (c.choice(("a~20b", "x%20y", "~", "plain")),)),
    Subject("datasette.utils:resolve_env_secrets", lambda c: ({"a": {"$env": "X"}, "b": [1, {"$env": "Y"}]}, {"X": word(c)})),
    Subject("django.utils.text:slugify", lambda c: (text(c, 1, 4), c.random() < 0.5)),
    Subject("django.utils.text:get_valid_filename", lambda c: (text(c, 1, 3),)),
    Subject("django.utils.text:smart_split", lambda c: (text(c),)),
    Subject("django.utils.text:phone2numeric", lambda c: (word(c),)),
    Subject("django.utils.text:camel_case_to_spaces", lambda c: ("".join(w.title() for w in c.choices(WORDS, k=3)),)),
    Subject("django.utils.dateparse:parse_duration", lambda c: (c.choice(("4 15:30", "P1DT2H", "10", "x", "-1:2:3", "3 days, 1:00:00")),)),
    Subject("django.utils.dateparse:parse_date", lambda c: (c.choice(("2024-02-29", "2023-02-29", "x", "2024-1-3")),)),
    Subject("django.utils.http:base36_to_int", lambda c: (c.choice(("zz", "10", "x", "1" * 14)),)),
    Subject("django.utils.http:int_to_base36", lambda c: (c.randint(-2, 99999),)),
    Subject("django.utils.http:parse_etags", lambda c: (c.choice(('"a", W/"b"', "*", "", '"c"')),)),
    Subject("django.utils.html:linebreaks", lambda c: (text(c) + "\n\n" + text(c), c.random() < 0.5)),
    Subject("openpyxl.utils.cell:coordinate_from_string", lambda c: (c.choice(("A1", "BC23", "x", "A0", "$Z$9")),)),
    Subject("openpyxl.utils.cell:range_boundaries", lambda c: (c.choice(("A1:B2", "C3", "A:C", "1:3", "x")),)),
    Subject("itsdangerous.encoding:base64_decode", lambda c: (c.choice(("YWJj", "YQ", "!", "", "YWI=")),)),
    Subject("kombu.utils.text:fmatch_best", lambda c: (word(c), [word(c) for _ in range(4)], 0.3)),
)  # fmt: skip


def subjects() -> list[Subject]:
    """Return all."""
    return list(SUBJECTS)
