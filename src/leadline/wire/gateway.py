"""What a call of a WSGI or ASGI application is given by its server, and what it answers.

The pieces are the server's: its functions, its sockets. Where the call is made again something
of ours stands for each, which writes down the response; so the response can be compared, as if
it were a parameter of the call of the name `RESPONSE`.
"""

from enum import StrEnum

SERVED = "served"
"""The kind of a node of `wire.kept` that stands for a piece of the server's: its `t` says
which. Its `i` holds what is known of the request's body: bytes, and whether that is all of it;
without an `i` nothing is known."""
RESPONSE = "the response"
"""Among the arguments of an outcome. No parameter has this name."""
ASKED = "response"
"""The name of it in a predicate, where no parameter is called so."""
RESPONSE_CLASS = "Response"
BODY = "body"
"""The rule of a request's body that was not captured."""
HEAD = ("status", "headers")


class Piece(StrEnum):
    """A live piece of the server's that a call is given."""

    START_RESPONSE = "start_response"
    INPUT = "wsgi.input"
    ERRORS = "wsgi.errors"
    RECEIVE = "receive"
    SEND = "send"
