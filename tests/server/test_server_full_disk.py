"""Whoever removes a probe means the running service, whatever the disk says."""

import json
from contextlib import closing

import pytest

from leadline.control.context import Context
from leadline.control.instances import connect
from leadline.control.order import Order
from leadline.control.probes import place, remove_probe
from leadline.control.sets import Named, put_set, remove_set
from leadline.wire.errors import UnavailableError
from leadline.wire.hit import InstanceInfo
from leadline.wire.probe import ProbeKind


def test_a_removal_reaches_the_instances_though_it_cannot_be_stored(
    tmp_path, monkeypatch, capsys
):
    with closing(Context(tmp_path / "hits.db")) as context:
        order = Order(ProbeKind.LOG, "a.py:1", template="x")
        probe = place(context, order, who="me", service="s")
        info = InstanceInfo("i1", "s", 1, "h", "p", "3.13", "0", "pure", 0.0)
        feed = connect(context, "s", info)
        assert [message.event for message in feed.take()] == ["set"]

        def full(*_args, **_options):
            raise UnavailableError("disk-full", "There is no room left.")

        monkeypatch.setattr(context.store, "remove", full)
        with pytest.raises(UnavailableError):
            remove_probe(context, probe.id, who="me")
        (message,) = feed.take()
        assert (message.event, json.loads(message.data)["ids"]) == ("remove", [probe.id])
    assert "could not be stored" in capsys.readouterr().err


def test_the_removal_of_a_set_does_too(tmp_path, monkeypatch, capsys):
    with closing(Context(tmp_path / "hits.db")) as context:
        order = Order(ProbeKind.LOG, "a.py:1", template="x")
        place(context, order, who="me", service="s")
        (part,) = put_set(context, [Named("n", order)], who="me", service="s", name="a")
        info = InstanceInfo("i1", "s", 1, "h", "p", "3.13", "0", "pure", 0.0)
        feed = connect(context, "s", info)
        assert [message.event for message in feed.take()] == ["set"]

        def full(*_args, **_options):
            raise UnavailableError("disk-full", "There is no room left.")

        monkeypatch.setattr(context.store, "remove_set", full)
        with pytest.raises(UnavailableError):
            remove_set(context, "s", "a", who="me")
        (message,) = feed.take()
        assert (message.event, json.loads(message.data)["ids"]) == ("remove", [part.probe])
    assert "could not be stored" in capsys.readouterr().err
