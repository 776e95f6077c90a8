"""An OpenTelemetry collector for tests: a real server that reads as strictly as protobuf."""

import base64
import gzip
import http.server
import json
import threading

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2


class Receiver:
    """A collector: reads what comes as strictly as protobuf does, and answers as it is told."""

    def __init__(self, tls=None):
        self.logs, self.metrics, self.paths, self.headers = [], [], [], []
        self.answers = []  # (status, headers, body) to come, each once
        self.faults = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, answer = outer.take(self.path, dict(self.headers), body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path, headers, body):
        self.paths.append(path)
        self.headers.append({name.lower(): value for name, value in headers.items()})
        if self.answers:
            return self.answers.pop(0)
        try:
            self.read(path, body)
        except Exception as error:  # noqa: BLE001 - shown at the end of the test
            self.faults.append(error)
            return 400, {}, b""
        return 200, {}, b"{}"

    def read(self, path, body):
        text = gzip.decompress(body).decode("utf-8", "strict")
        if path.endswith("/v1/logs"):
            message = logs_service_pb2.ExportLogsServiceRequest()
            json_format.Parse(json.dumps(_as_protobuf(json.loads(text))), message)
            self.logs += [
                (attributes(group.resource.attributes), entry)
                for group in message.resource_logs
                for scope in group.scope_logs
                for entry in scope.log_records
            ]
        elif path.endswith("/v1/metrics"):
            message = metrics_service_pb2.ExportMetricsServiceRequest()
            json_format.Parse(text, message)
            self.metrics += [
                (attributes(group.resource.attributes), metric)
                for group in message.resource_metrics
                for scope in group.scope_metrics
                for metric in scope.metrics
            ]
        else:
            raise ValueError(path)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def _as_protobuf(content):
    """OTLP's one difference to protobuf's JSON: these ids are hexadecimal, not base64."""
    for group in content["resourceLogs"]:
        for scope in group["scopeLogs"]:
            for entry in scope["logRecords"]:
                for name in ("traceId", "spanId"):
                    if name in entry:
                        entry[name] = base64.b64encode(bytes.fromhex(entry[name])).decode()
    return content


def plain(value):
    match value.WhichOneof("value"):
        case "array_value":
            return [plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return attributes(value.kvlist_value.values)
        case kind:
            return getattr(value, kind)


def attributes(pairs):
    assert len({pair.key for pair in pairs}) == len(pairs)
    return {pair.key: plain(pair.value) for pair in pairs}
