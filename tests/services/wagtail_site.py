"""A Django site as `wagtail start` makes it, with a little code of its own and a few pages."""

import fcntl
import re
import shutil
import subprocess
from pathlib import Path

from live import tool

MODELS = """\
from django.db import models

from wagtail.models import Page


class HomePage(Page):
    def get_context(self, request, *args, **kwargs):
        context = super().get_context(request, *args, **kwargs)
        children = list(self.get_children().live().order_by("title"))
        words = count_words(self.title)
        context["children"] = children
        context["words"] = words
        return context


def count_words(text):
    words = text.split()
    if "broken" in words:
        raise ValueError("a page that is broken")
    return len(words)
"""
TEMPLATE = """\
{% extends "base.html" %}
{% load wagtailcore_tags %}
{% block content %}
<h1>{{ page.title }} ({{ words }})</h1>
<ul>{% for child in children %}
  <li><a href="{% pageurl child %}">{{ child.title }}</a></li>{% endfor %}
</ul>
{% endblock content %}
"""
LOCAL = """\
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
SECRET_KEY = "a key that only tests have"
"""
PAGES = """\
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from home.models import HomePage
root = HomePage.objects.get()
root.title = "Home of the tests"
root.save()
for title in ("First", "Second page", "Third and last", "A broken one"):
    root.add_child(instance=HomePage(title=title))
"""


_RUN = re.compile(r"pytest-\d+")
"""The folder of one run, which its workers share."""


def make_site(folder: Path) -> Path:
    """Make the site in `folder`: a copy of one that is made once in a run of the tests."""
    run = next((one for one in folder.parents if _RUN.fullmatch(one.name)), folder.parent)
    first = run / "wagtail.made"
    with open(run / "wagtail.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not first.exists():
            _make(run / "wagtail.draft")
            (run / "wagtail.draft").rename(first)
    shutil.copytree(first, folder)
    return folder


def _make(folder: Path) -> Path:
    """Takes about fifteen seconds, nearly all of it migrations."""
    folder.mkdir()
    _run(folder, tool("wagtail"), "start", "mysite", str(folder))
    (folder / "home" / "models.py").write_text(MODELS, "utf-8")
    (folder / "home" / "templates" / "home" / "home_page.html").write_text(TEMPLATE, "utf-8")
    (folder / "mysite" / "settings" / "local.py").write_text(LOCAL, "utf-8")
    _run(folder, tool("python"), "-c", PAGES)
    return folder


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(
        ["env", "DJANGO_SETTINGS_MODULE=mysite.settings.dev", *command],
        cwd=folder, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
