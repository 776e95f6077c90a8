"""Reads what clients send; whatever has the wrong form becomes one clear sentence."""

from collections.abc import Mapping
from json import JSONDecodeError
from typing import Any

from starlette.requests import Request

from shop.basket import Item
from shop.checkout import Basket
from shop.errors import InvalidError

MOST_PER_LINE = 1_000
MOST_LINES = 50


async def json_object(request: Request) -> Mapping[str, Any]:
    try:
        body = await request.json()
    except (JSONDecodeError, UnicodeDecodeError):
        raise InvalidError("the body is not JSON") from None
    if not isinstance(body, dict):
        raise InvalidError("the body must be a JSON object")
    return body


def basket(body: Mapping[str, Any]) -> Basket:
    lines = body.get("lines")
    if not isinstance(lines, list) or not 1 <= len(lines) <= MOST_LINES:
        raise InvalidError(f"'lines' must be a list of 1 to {MOST_LINES} lines")
    code = body.get("voucher")
    if code is not None and not isinstance(code, str):
        raise InvalidError("'voucher' must be a text or null")
    return Basket(
        customer_id=_whole(body, "customer", 1, 10**9),
        items=tuple(_item(line) for line in lines),
        voucher_code=code or None,
    )


def payment_token(body: Mapping[str, Any]) -> str:
    token = body.get("payment_token")
    if not isinstance(token, str) or not token.startswith("tok_"):
        raise InvalidError("'payment_token' is missing or is not one of ours")
    return token


def whole_parameter(request: Request, name: str, default: int, most: int) -> int:
    """A whole number from 1 to `most` in the query string."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise InvalidError(f"{name!r} must be a whole number from 1 to {most}")
    return int(text)


def _item(line: object) -> Item:
    if not isinstance(line, dict) or not isinstance(line.get("sku"), str):
        raise InvalidError("each line needs a 'sku' and a 'quantity'")
    return Item(sku=line["sku"], quantity=_whole(line, "quantity", 1, MOST_PER_LINE))


def _whole(body: Mapping[str, Any], name: str, least: int, most: int) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidError(f"{name!r} must be a whole number from {least} to {most}")
    return value
