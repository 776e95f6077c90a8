"""A request that a server has handed to a web application, as a test makes it again.

Of what the server hands over, a test has what the standard names and what is plain data: no
sockets, no callbacks of the server's, not the environment that some servers put among it. That
the call comes to the same with so much is found out by running it.
"""

from typing import Any

from leadline.trial.response import MAX_TEXT_BYTES
from leadline.wire.gateway import SERVED, Piece

_BEGINS = {Piece.START_RESPONSE, Piece.SEND}
_OF_WSGI = {
    *("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE"),
    *("CONTENT_LENGTH", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "SERVER_SOFTWARE"),
    *("REMOTE_ADDR", "REMOTE_HOST", "REMOTE_PORT", "REMOTE_USER", "HTTPS", "RAW_URI"),
    *("REQUEST_URI", "REQUEST_SCHEME", "AUTH_TYPE", "GATEWAY_INTERFACE"),
}
"""Names of a request of WSGI, beside headers: PEP 3333, RFC 3875, and what servers add. All
others in upper case may be the environment of the process, which wsgiref puts there, too."""
_PLAIN = {"tuple", "list", "dict", "int", "float", "bytes", "byte_stream", SERVED}
_STREAMS = ("sys", {"stdin", "stdout", "stderr"})

RESPONSE = '''\
class _Response:
    """What a server would send, as the application says it."""

    def __init__(self):
        self.status, self.reason, self.headers = None, "", {}
        self.ended, self._chunks = False, []

    @property
    def body(self):
        whole = b"".join(self._chunks)
        try:
            return whole.decode() if len(whole) <= MOST_TEXT else whole
        except UnicodeDecodeError:
            return whole

    @property
    def json(self):
        return json.loads(self.body)

    def begin(self, status, headers, exc_info=None):
        number, _, self.reason = str(status).partition(" ")
        self.status, found = int(number) if number.isdecimal() else status, {}
        for pair in headers:
            name, value = (one if isinstance(one, str) else bytes(one).decode("latin-1")
                           for one in pair)
            found.setdefault(name.strip().lower(), []).append(value.strip())
        self.headers = {name: values[0] if len(values) == 1 else values
                        for name, values in sorted(found.items())}
        return self._chunks.append

    def of_wsgi(self, call):
        """Make the call, and ask for the body as a server does."""
        chunks = call()
        try:
            self._chunks.extend(map(bytes, chunks))
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return chunks

    async def send(self, message):
        if message["type"] == "http.response.start":
            self.begin(message["status"], message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self._chunks.append(bytes(message.get("body", b"")))
            self.ended = not message.get("more_body", False)

    def receiving(self, body):
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive():
            if waiting:
                return waiting.pop()
            while not self.ended:
                await asyncio.sleep(0.001)
            return {"type": "http.disconnect"}

        return receive

    def failed(self):
        """The application has raised: where nothing is on its way, its server answers 500."""
        if not self.ended:
            self.headers, self.reason = {}, ""
            self.status = None if any(self._chunks) else 500'''
"""The class that a test has of its own; it imports `asyncio` and `json`."""


def is_answered(document: dict[str, Any] | None) -> bool:
    """Tell whether a call is that of an application by its server, which takes its response."""
    return any(piece in _BEGINS for piece in _pieces(document))


def is_wsgi(document: dict[str, Any] | None) -> bool:
    """Tell by which of the two standards a request is handed over."""
    return Piece.START_RESPONSE in _pieces(document)


def is_request(node: dict[str, Any]) -> bool:
    """Tell whether a node is the dictionary in which a server hands over a request."""
    if node["k"] != "dict":
        return False
    names = {key for key, _ in node["p"] if type(key) is str}
    return names >= {"wsgi.version", "REQUEST_METHOD"} or names >= {"asgi", "type", "path"}


def plain_pairs(nodes: list[dict[str, Any]], request: dict[str, Any]) -> list[list[Any]]:
    """Return the entries of a request that a test has. Of the headers of ASGI, which are one
    of them, it has those that are plain: the others are taken out of `nodes`."""
    for key, ref in request["p"]:
        if key == "headers" and type(ref) is list and nodes[ref[0]]["k"] in ("list", "tuple"):
            held = nodes[ref[0]]
            plain = [one for one in held.get("i", ()) if _is_plain(nodes, one, set())]
            nodes[ref[0]] = {**held, "i": plain}
    return [pair for pair in request["p"] if _is_kept(nodes, *pair)]


def response_lines() -> list[str]:
    """Return the source of what stands for the server in a test."""
    return RESPONSE.replace("MOST_TEXT", f"{MAX_TEXT_BYTES:_}").splitlines()


def _pieces(document: dict[str, Any] | None) -> set[str]:
    if document is None:
        return set()
    held = (document["nodes"][ref[0]] for ref in document["roots"].values()
            if type(ref) is list)  # fmt: skip
    return {node["t"] for node in held if node["k"] == SERVED}


def _is_kept(nodes: list[dict[str, Any]], key: Any, value: Any) -> bool:
    if type(key) is not str or not (
        key.islower() or key in _OF_WSGI or key.startswith("HTTP_")
    ):
        return False
    return _is_plain(nodes, value, set())


def _is_plain(nodes: list[dict[str, Any]], ref: Any, within: set[int]) -> bool:
    if type(ref) is not list:
        return True
    node = nodes[ref[0]]
    if node["k"] == "name":
        return node["m"] == _STREAMS[0] and node["t"] in _STREAMS[1]
    if node["k"] not in _PLAIN or "c" in node or ref[0] in within:
        return False
    inside = [*node.get("i", ()), *(one for pair in node.get("p", ()) for one in pair)]
    return all(_is_plain(nodes, one, within | {ref[0]}) for one in inside)
