"""Hits and points at a collector: a real server sends, OpenTelemetry's own classes read."""

import json
import math
import signal
import ssl
import threading
from collections import Counter
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.semconv.attributes import code_attributes, exception_attributes
from opentelemetry.semconv.attributes import service_attributes as service_names

from collecting import Receiver, attributes
from leadline.control.context import Context
from leadline.control.otlp import exporter
from leadline.control.otlp.collector import Collector, collector
from leadline.control.otlp.logs import record
from leadline.control.otlp.metrics import MAX_BUCKETS, SCALE, histogram
from leadline.store.records import StoredHit
from leadline.wire.errors import LeadlineError
from leadline.wire.hit import Detail, FrameView, Hit, Point, Report
from leadline.wire.limits import Limits
from leadline.wire.messages import encode
from leadline.wire.probe import LogProbe, Moment
from leadline.wire.sketch import buckets_of
from leadline.wire.target import Target
from leadline.wire.twin import Agreement, TwinEnd, TwinPolicy, TwinUse, TwinView

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()
    assert made.faults == []


@pytest.fixture
def exporting(own_server, receiver):
    server = own_server("--otlp", receiver.url).start()
    yield server
    server.stop()


def health(server):
    return server.request("GET", "/v1/doctor").json["exporter"]


def test_a_hit_arrives_as_a_log_record(exporting, receiver, instance, some_hits, until):
    info = replace(
        instance("shop", "i-1"), version="1.2", environment="prod", tags={"zone": "eu"}
    )
    probe = exporting.place("shop")["id"]
    values = {"x": 1, "name": "ä\ud800", "rate": 0.5, "ok": True, "none": None, "big": 2**70}
    values["secret"] = {"type": "str", "omitted": "redacted", "rule": "name:password"}
    values["many"] = {"type": "list", "length": 2, "items": [1, "two"]}
    hits = some_hits(info, probe, range(1), values=values, message="x=1 \ud800")
    hits = [replace(hits[0], trace=TRACE, span=SPAN, task="Task-1")]
    assert exporting.report(Report(info, hits)).status == 204
    until(lambda: receiver.logs)
    ((resource, entry),) = receiver.logs
    assert resource == {
        service_names.SERVICE_NAME: "shop",
        "service.instance.id": "i-1",
        service_names.SERVICE_VERSION: "1.2",
        "deployment.environment.name": "prod",
        "host.name": "host",
        "process.pid": 42,
        "process.executable.name": "app.py",
        "process.runtime.name": "cpython",
        "process.runtime.version": "3.13.0",
        "leadline.tag.zone": "eu",
    }
    assert entry.body.string_value == "x=1 ?"
    assert (entry.time_unix_nano, entry.severity_text) == (1_500_000_000, "INFO")
    assert entry.observed_time_unix_nano > 1e18
    assert (entry.trace_id.hex(), entry.span_id.hex()) == (TRACE, SPAN)
    assert attributes(entry.attributes) == {
        "leadline.probe.id": probe,
        "leadline.probe.kind": "log",
        "leadline.hit.id": 1,
        "leadline.hit.seq": 0,
        code_attributes.CODE_FILE_PATH: "app.py",
        code_attributes.CODE_LINE_NUMBER: 3,
        code_attributes.CODE_FUNCTION_NAME: "f",
        "thread.name": "MainThread",
        "leadline.task.name": "Task-1",
        "leadline.value.x": 1,
        "leadline.value.name": "ä?",
        "leadline.value.rate": 0.5,
        "leadline.value.ok": True,
        "leadline.value.none": "None",
        "leadline.value.big": str(2**70),
        "leadline.value.secret": "<redacted name:password>",
        "leadline.value.many": "[1, 'two']",
    }
    until(lambda: health(exporting)["sent"] == {"hits": 1})
    found = health(exporting)
    assert (found["url"], found["waiting"], found["dropped"]) == (receiver.url, 0, {})
    assert (found["failing_since"], found["last_error"]) == (None, "")
    assert found["last_sent_at"] > 1e9


def test_a_twin_tells_what_it_was_for_and_what_it_cost(
    exporting, receiver, instance, some_hits, until
):
    body = {"use": "rerun", "target": "shop.pricing:quote"}
    probe = exporting.request("POST", "/v1/services/shop/twins", body).json["probe"]["id"]
    view = TwinView(
        TwinUse.RERUN,
        TwinPolicy.READONLY,
        TwinEnd.DONE,
        pause_ms=2.5,
        agreement=Agreement(True),
    )
    info = instance("shop", "i-twin")
    (hit,) = some_hits(info, probe, range(1), message="agrees", values={})
    exporting.report(Report(info, [replace(hit, twin=view)]))
    until(lambda: receiver.logs)
    ((_, entry),) = receiver.logs
    found = attributes(entry.attributes)
    assert {name: one for name, one in found.items() if name.startswith("leadline.twin.")} == {
        "leadline.twin.use": "rerun",
        "leadline.twin.policy": "readonly",
        "leadline.twin.end": "done",
        "leadline.twin.pause": 0.0025,
        "leadline.twin.agrees": True,
    }


def test_an_exception_has_its_type_message_and_stack(
    exporting, receiver, instance, some_hits, until
):
    body = {"kind": "exception", "target": "shop.pricing:quote", "template": None}
    probe = exporting.request("POST", "/v1/services/shop/probes", body).json["probe"]["id"]
    info = instance("shop", "i")
    thrown = {"type": "ValueError", "items": ["no price\ud800"], "length": 1}
    detail = Detail(
        Moment.LEAVING,
        frames=[
            FrameView("shop/pricing.py", 8, "quote", "raise ValueError(x)", {"x": 5}),
            FrameView("shop/app.py", 3, "<module>", omitted="room"),
        ],
        exception=thrown,
        duration_s=0.25,
        context={"user": "ada"},
    )
    (hit,) = some_hits(info, probe, range(1), message="", values={})
    exporting.report(Report(info, [replace(hit, detail=detail)]))
    until(lambda: receiver.logs)
    ((_, entry),) = receiver.logs
    assert entry.severity_text == "ERROR"
    assert entry.body.string_value == "exception at app.py:3 in f"
    found = attributes(entry.attributes)
    assert found[exception_attributes.EXCEPTION_TYPE] == "ValueError"
    assert found[exception_attributes.EXCEPTION_MESSAGE] == "no price?"
    assert found[exception_attributes.EXCEPTION_STACKTRACE] == (
        "Traceback (most recent call last):\n"
        '  File "shop/app.py", line 3, in <module>\n'
        '  File "shop/pricing.py", line 8, in quote\n'
        "    raise ValueError(x)\n"
        "ValueError: no price?"
    )
    assert found["leadline.duration"] == 0.25
    assert found["leadline.context.user"] == "ada"
    assert found["leadline.frames"][0] == {
        "code.file.path": "shop/pricing.py",
        "code.line.number": 8,
        "code.function.name": "quote",
        "locals": {"x": 5},
    }
    assert found["leadline.frames"][1]["omitted"] == "room"


def test_points_arrive_as_sums_and_histograms(exporting, receiver, instance, until):
    def placed(**body):
        body = {"target": "app.py:3"} | body
        return exporting.request("POST", "/v1/services/shop/probes", body).json["probe"]["id"]

    counter = placed(kind="counter")
    metric = placed(kind="metric", expression="total", note="per order")
    timer = placed(kind="timer", target="shop.pricing:quote")
    info = instance("shop", "i")
    values = [-2.0, 0.0, 0.5, 0.5, 30.0]
    exporting.report(
        Report(
            info,
            points=[
                Point(counter, "i", 0, 10.0, 1.0, 7),
                Point(metric, "i", 1, 10.0, 1.5, 5, 29.0, -2.0, 30.0, buckets_of(values), 3),
                Point(timer, "i", 2, 10.0, 1.0, 1, 0.25, 0.25, 0.25, buckets_of([0.25])),
                Point(counter, "i", 3, 11.0, 1.0, 2),
            ],
        )
    )
    until(lambda: len(receiver.metrics) == 4)
    found = {metric.name: metric for resource, metric in receiver.metrics}
    sums = found["leadline.probe.passages"].sum
    assert (sums.is_monotonic, sums.aggregation_temporality) == (True, 1)
    assert [
        (point.start_time_unix_nano, point.time_unix_nano, point.as_int)
        for point in sums.data_points
    ] == [(9_000_000_000, 10_000_000_000, 7), (10_000_000_000, 11_000_000_000, 2)]
    assert attributes(sums.data_points[0].attributes) == {
        "leadline.probe.id": counter,
        "code.file.path": "app.py",
        "code.line.number": 3,
    }
    (measured,) = found["leadline.probe.value"].exponential_histogram.data_points
    assert (measured.count, measured.zero_count, measured.min, measured.max) == (5, 1, -2, 30)
    assert not measured.HasField("sum")  # there are negative values among them
    assert sum(measured.positive.bucket_counts) == 3
    assert sum(measured.negative.bucket_counts) == 1
    assert attributes(measured.attributes)["leadline.probe.expression"] == "total"
    assert attributes(measured.attributes)["leadline.probe.note"] == "per order"
    assert found["leadline.probe.lost"].sum.data_points[0].as_int == 3
    (timed,) = found["leadline.probe.duration"].exponential_histogram.data_points
    assert found["leadline.probe.duration"].unit == "s"
    assert (timed.count, timed.sum) == (1, 0.25)
    assert attributes(timed.attributes)["code.function.name"] == "shop.pricing.quote"
    until(lambda: health(exporting)["sent"] == {"points": 4})


@given(
    values=st.lists(
        st.floats(1e-12, 1e12) | st.floats(-1e12, -1e-12) | st.just(0.0), min_size=1
    )
)
def test_no_value_is_lost_and_each_is_near_where_it_was(values):
    """The law of the conversion: counts add up; every value is within the stated error."""
    point = Point("p1", "i", 0, 1.0, 1.0, len(values), 0, 0, 0, buckets_of(values))
    made = histogram(point)
    assert int(made["count"]) == len(values)
    base = 2 ** (2 ** -made["scale"])
    error = 1.01 * (1 + (base - 1) / (base + 1)) - 1 + 1e-9
    if made["scale"] == SCALE:
        assert error < 0.021
    for sign, side in ((1, "positive"), (-1, "negative")):
        counts = [int(one) for one in made[side]["bucketCounts"]]
        assert len(counts) <= MAX_BUCKETS
        first = made[side]["offset"]
        middles = [
            2 * base ** (first + index + 1) / (base + 1)
            for index, count in enumerate(counts)
            for _ in range(count)
        ]
        real = sorted(abs(value) for value in values if value * sign > 0)
        assert len(middles) == len(real)
        for seen, value in zip(middles, real, strict=True):
            assert math.isclose(seen, value, rel_tol=error), (seen, value, made["scale"])


@pytest.mark.parametrize("key", ["p1e5", "x1", "p", "", "p99999999", "p20001", "n-20001"])
def test_buckets_that_are_not_ours_are_no_metric(key):
    with pytest.raises((ValueError, IndexError, KeyError)):
        histogram(Point("p1", "i", 0, 1.0, 1.0, 1, 1, 1, 1, {key: 1}))


@pytest.mark.soak
def test_a_collector_that_is_away_gets_what_waits_when_it_is_back(
    exporting, receiver, instance, some_hits, until
):
    receiver.answers += [(503, {}, b""), (429, {"Retry-After": "0.1"}, b""), (502, {}, b"")]
    info, probe = instance("shop", "i"), exporting.place("shop")["id"]
    exporting.report(Report(info, some_hits(info, probe, range(3))))
    until(lambda: health(exporting)["failing_since"])
    assert health(exporting)["last_error"] == "HTTP 503"
    exporting.report(Report(info, some_hits(info, probe, range(3, 5))))
    until(lambda: len(receiver.logs) == 5)
    assert Counter(
        attributes(one.attributes)["leadline.hit.seq"] for _, one in receiver.logs
    ) == dict.fromkeys(range(5), 1)
    until(lambda: health(exporting)["failing_since"] is None)
    assert health(exporting)["dropped"] == {}


def test_what_is_refused_or_rejected_is_counted_and_the_rest_goes_on(
    exporting, receiver, instance, some_hits, until
):
    partial = json.dumps({"partialSuccess": {"rejectedLogRecords": "2", "errorMessage": "old"}})
    receiver.answers += [(400, {}, b"what?"), (200, {}, partial.encode()), (301, {}, b"")]
    info, probe = instance("shop", "i"), exporting.place("shop")["id"]
    for start in (0, 3, 6, 9):
        before = len(receiver.paths)
        exporting.report(Report(info, some_hits(info, probe, range(start, start + 3))))
        until(lambda before=before: len(receiver.paths) > before)
    until(lambda: len(receiver.logs) == 3)
    until(lambda: health(exporting)["sent"] == {"hits": 4})
    found = health(exporting)
    assert found["dropped"] == {"refused": 6, "rejected": 2}
    losses = exporting.request("GET", "/v1/services").json["losses"]
    assert losses["exporter"] == found["dropped"]


def test_nobody_waits_for_a_collector_that_hangs_and_the_end_is_in_time(
    own_server, instance, some_hits, until
):
    hanging = threading.Event()

    class Hanging(Receiver):
        def take(self, path, headers, body):
            self.paths.append(path)
            hanging.wait(30)
            return 200, {}, b""

    receiver = Hanging()
    server = own_server("--otlp", receiver.url).start()
    info = instance("shop", "i")
    probe = server.place("shop", limits={"hits": 100_000})["id"]
    for start in range(0, 25_000, 1_000):
        assert (
            server.report(Report(info, some_hits(info, probe, range(start, start + 1_000))))
        ).status == 204
        until(lambda: receiver.paths)  # a first batch is on its way, and no other
    until(lambda: health(server)["dropped"])
    found = health(server)
    assert found["waiting"] == exporter.MAX_WAITING
    assert found["waiting"] + found["dropped"]["queue-full"] + exporter.BATCH == 25_000
    assert server.stop(signal.SIGTERM) == 0  # and not because it gave up
    assert "slow-stop" not in server.stderr()
    hanging.set()
    receiver.close()


def test_at_the_end_what_waits_is_sent(own_server, receiver, instance, some_hits):
    server = own_server("--otlp", receiver.url).start()
    info, probe = instance("shop", "i"), server.place("shop")["id"]
    server.report(Report(info, some_hits(info, probe, range(5))))
    assert server.stop() == 0
    assert len(receiver.logs) == 5


def test_headers_are_sent_and_never_shown(own_server, receiver, instance, monkeypatch, until):
    secret = "s3cret,key=1"
    encoded = "s3cret%2Ckey=1"
    monkeypatch.setenv("LEADLINE_OTLP_HEADERS", f"api-key={encoded}, X-Scope-OrgID=7")
    server = own_server("--otlp", f"{receiver.url}/otlp").start()
    receiver.answers.append((401, {}, secret.encode()))
    info, probe = instance("shop", "i"), server.place("shop")["id"]
    server.report(Report(info, [Hit(probe, "i", 0, 1.0, "t", "f", 1, "g", "m")]))
    until(lambda: health(server)["dropped"])
    assert receiver.headers[0]["api-key"] == secret
    assert receiver.headers[0]["x-scope-orgid"] == "7"
    assert receiver.paths == ["/otlp/v1/logs"]
    shown = json.dumps(server.request("GET", "/v1/doctor").json)
    server.stop()
    written = server.stderr() + (server.folder / "hits.db").read_bytes().decode("latin-1")
    assert "s3cret" not in shown + written
    assert "s3cret" not in repr(Collector("http://x", {"api-key": secret}))


def test_over_tls_a_certificate_that_nobody_vouches_for_is_not_trusted(
    own_server, instance, some_hits, until, needs, tmp_path, monkeypatch
):
    import subprocess  # noqa: PLC0415

    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = [needs("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-keyout", key, "-out", cert, "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    receiver = Receiver(context)
    server = own_server("--otlp", receiver.url).start()
    info, probe = instance("shop", "i"), server.place("shop")["id"]
    server.report(Report(info, some_hits(info, probe, range(1))))
    until(lambda: health(server)["failing_since"])
    assert "SSLCertVerificationError" in health(server)["last_error"]
    assert receiver.logs == []
    server.stop()
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    server.start()
    server.report(Report(info, some_hits(info, probe, range(1, 2))))
    until(lambda: len(receiver.logs) == 1)
    server.stop()
    receiver.close()


@pytest.mark.parametrize(
    ("url", "headers", "slug"),
    [
        ("collector:4318", "", "bad-otlp-url"),
        ("ftp://collector", "", "bad-otlp-url"),
        ("http://", "", "bad-otlp-url"),
        ("http://user:hunter2@collector", "", "bad-otlp-url"),
        ("http://collector?key=hunter2", "", "bad-otlp-url"),
        ("http://[::1", "", "bad-otlp-url"),
        ("http://collector:99999", "", "bad-otlp-url"),
        ("http://collector", "hunter2", "bad-otlp-headers"),
        ("http://collector", "a b=hunter2", "bad-otlp-headers"),
        ("http://collector", "key=hunter2%0d%0aX: y", "bad-otlp-headers"),
        ("http://collector", "=hunter2", "bad-otlp-headers"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_and_not_quoted(url, headers, slug):
    with pytest.raises(LeadlineError) as caught:
        collector(url, headers)
    assert caught.value.slug == slug
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "clear"),
    [
        ("http://127.0.0.1:4318", False),
        ("http://localhost", False),
        ("http://[::1]:4318", False),
        ("http://collector:4318", True),
        ("https://collector", False),
    ],
)
def test_what_travels_readable_is_said(url, clear):
    assert collector(url).in_clear is clear


def test_a_batch_that_is_never_taken_is_given_up(
    tmp_path, receiver, instance, monkeypatch, until
):
    monkeypatch.setattr(exporter, "GIVE_UP_S", 0.2)
    monkeypatch.setattr(exporter, "FIRST_PAUSE_S", 0.05)
    receiver.answers += [(503, {}, b"")] * 50
    with closing(Context(tmp_path / "hits.db", collector=Collector(receiver.url))) as context:
        probe = LogProbe("", Target("app.py", 3), "x", limits=Limits())
        context.store.place("shop", probe, who="me", now=1.0)
        info = instance("shop", "i")
        hit = Hit("p1", "i", 0, 1.0, "t", "f", 1, "g", "m")
        context.store.take(Report(info, [hit]), 2.0)
        until(lambda: context.exporter.view().dropped == {"given-up": 1})
        receiver.answers.clear()
        context.store.take(Report(info, [replace(hit, seq=1)]), 2.0)
        until(lambda: context.exporter.view().sent == {"hits": 1})


def test_a_hit_that_cannot_be_read_is_counted_and_the_others_go(
    tmp_path, receiver, instance, monkeypatch, until
):
    def broken(stored):
        if json.loads(stored.body)["seq"] == 1:
            raise KeyError("time")
        return record(stored)

    monkeypatch.setattr(exporter, "record", broken)
    with closing(Context(tmp_path / "hits.db", collector=Collector(receiver.url))) as context:
        probe = LogProbe("", Target("app.py", 3), "x", limits=Limits())
        context.store.place("shop", probe, who="me", now=1.0)
        hits = [Hit("p1", "i", seq, 1.0, "t", "f", 1, "g", "m") for seq in range(3)]
        context.store.take(Report(instance("shop", "i"), hits), 2.0)
        until(lambda: context.exporter.view().sent == {"hits": 2})
        assert context.exporter.view().dropped == {"not-readable": 1}


@pytest.mark.parametrize(
    ("trace", "span"), [("", ""), ("0" * 32, SPAN), ("x", SPAN), (TRACE, "")]
)
def test_ids_that_are_none_are_left_out(trace, span):
    hit = Hit("p1", "i", 0, 1.0, "t", "f", 1, "g", "m", trace=trace, span=span)
    made = record(StoredHit(1, "shop", "p1", 1.0, encode(hit).decode()))
    assert made.get("traceId", "") == (trace if trace == TRACE else "")
    assert "spanId" not in made
