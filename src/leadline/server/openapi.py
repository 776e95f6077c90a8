"""The route table as OpenAPI 3.1: made of what the server routes by, so that it holds."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from leadline import __version__
from leadline.server.bodies import ErrorAnswer
from leadline.server.route import Route, Who

type Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_KEYS = {
    Who.USER: ("userKey", "llu_...", "The user key of the key file, or one with a name."),
    Who.AGENT: ("agentKey", "lla_...", "The key of one service's agents."),
}
_PLACEHOLDERS = {
    "service": {"type": "string", "pattern": r"^[A-Za-z0-9._-]{1,100}$"},
    "probe": {"type": "string", "pattern": "^p[1-9][0-9]*$"},
    "verdict": {"type": "string", "pattern": "^[1-9][0-9]*$"},
}
"""What stands in an address; any other name is any text."""


def describe(routes: Iterable[Route]) -> Json:
    """Return the description of all addresses."""
    table = list(routes)
    bodies = [kind for one in table for kind in (one.body, one.returns) if kind is not None]
    queries = [one.query for one in table if one.query is not None]
    _, schemas = msgspec.json.schema_components(
        list(dict.fromkeys([*bodies, *queries, ErrorAnswer])), ref_template=_REF
    )
    asked = {kind.__name__: schemas.pop(kind.__name__) for kind in dict.fromkeys(queries)}
    paths: dict[str, Json] = {}
    for one in table:
        query = asked[one.query.__name__] if one.query else {}
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, query)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Leadline",
            "version": __version__,
            "description": "Probes in running Python services, and what they saw.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                name: {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": form,
                    "description": text,
                }
                for name, form, text in _KEYS.values()
            },
        },
    }


def _operation(one: Route, query: Json) -> Json:
    operation: Json = {
        "operationId": one.handler.__name__,
        "summary": one.summary,
        "security": [{_KEYS[one.who][0]: []}] if one.who in _KEYS else [],
        "responses": _responses(one),
    }
    if parameters := [*_in_path(one.path), *_in_query(query)]:
        operation["parameters"] = parameters
    if one.right is not None:
        operation["description"] = f"Needs a key with the right `{one.right}`."
        if one.waits is not None:
            operation["description"] += (
                " What waits for an approval may be asked for without: it is answered 202 then,"
                " with `approval`."
            )
    if one.body is not None:
        operation["requestBody"] = {
            "required": True,
            "description": f"At most {one.max_bytes:,} bytes; may be deflated "
            "(`Content-Encoding: deflate`).",
            "content": _json(one.body),
        }
    return operation


def _responses(one: Route) -> dict[str, Json]:
    good: Json = {"description": one.summary}
    if one.events:
        told = "\n".join(f"- `{name}`: {text}" for name, text in one.events.items())
        good["description"] = f"Server-sent events:\n{told}"
        good["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
    elif one.returns is not None:
        good["content"] = _json(one.returns)
    elif one.status != 204:
        good["content"] = {"application/json": {"schema": {"type": "object"}}}
    responses = {str(one.status): good}
    if one.who is not Who.NOBODY:
        responses["401"] = _error("No key, or one that is none of this server's.")
    responses["403"] = _error("Understood, and not allowed.")
    responses["4XX"] = _error("What was asked for cannot be done; `slug` says why.")
    responses["5XX"] = _error("The server, its database or its disk cannot do it now.")
    return responses


def _error(description: str) -> Json:
    return {"description": description, "content": _json(ErrorAnswer)}


def _json(kind: type) -> Json:
    return {"application/json": {"schema": {"$ref": _REF.format(name=kind.__name__)}}}


def _in_path(path: str) -> Iterable[Json]:
    for name in re.findall(r"{(\w+)}", path):
        schema = _PLACEHOLDERS.get(name, {"type": "string"})
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(query: Json) -> Iterable[Json]:
    needed = query.get("required", ())
    for name, schema in query.get("properties", {}).items():
        yield {"name": name, "in": "query", "required": name in needed, "schema": schema}
