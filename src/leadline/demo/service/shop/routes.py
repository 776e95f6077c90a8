"""The HTTP routes: decode, call, encode."""

from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shop import __version__, checkout, customers, invoices, orders, outbox, payload, stock
from shop.catalog import Catalog, Product
from shop.db import Database
from shop.volume import unit_price


def health(request: Request) -> JSONResponse:
    waiting = outbox.waiting(_db(request))
    return JSONResponse({"status": "ok", "version": __version__, "mails_waiting": waiting})


def list_products(request: Request) -> JSONResponse:
    query = request.query_params
    products = _catalog(request).search(
        text=query.get("search", "").strip(),
        category=query.get("category", ""),
        limit=payload.whole_parameter(request, "limit", default=20, most=100),
    )
    return JSONResponse({"products": [_shown(product) for product in products]})


def show_product(request: Request) -> JSONResponse:
    product = _catalog(request).product(request.path_params["sku"])
    quantity = payload.whole_parameter(request, "quantity", 1, payload.MOST_PER_LINE)
    each = unit_price(product, quantity)
    return JSONResponse(
        {
            **_shown(product),
            "in_stock": stock.on_hand(_db(request), product.sku),
            "quantity": quantity,
            "unit_price": each,
            "amount": quantity * each,
        }
    )


async def post_quote(request: Request) -> JSONResponse:
    basket = payload.basket(await payload.json_object(request))
    price = await run_in_threadpool(
        checkout.price_basket, _db(request), _catalog(request), basket
    )
    return JSONResponse(price)


async def post_order(request: Request) -> JSONResponse:
    body = await payload.json_object(request)
    basket = payload.basket(body)
    token = payload.payment_token(body)
    order = await run_in_threadpool(
        checkout.place_order, _db(request), _catalog(request), basket, token
    )
    return JSONResponse(order, 201, headers={"location": f"/orders/{order['number']}"})


def show_order(request: Request) -> JSONResponse:
    return JSONResponse(orders.find(_db(request), request.path_params["number"]))


def show_invoice(request: Request) -> JSONResponse:
    return JSONResponse(invoices.invoice(_db(request), request.path_params["number"]))


def customer_orders(request: Request) -> JSONResponse:
    db = _db(request)
    customer = customers.find(db, request.path_params["customer_id"])
    limit = payload.whole_parameter(request, "limit", default=20, most=100)
    return JSONResponse(
        {
            "customer": customer.id,
            "tier": customer.tier,
            "orders": orders.history(db, customer.id, limit),
        }
    )


def _db(request: Request) -> Database:
    db: Database = request.app.state.db
    return db


def _catalog(request: Request) -> Catalog:
    catalog: Catalog = request.app.state.catalog
    return catalog


def _shown(product: Product) -> dict[str, Any]:
    return asdict(product)


ROUTES = [
    Route("/health", health),
    Route("/products", list_products),
    Route("/products/{sku}", show_product),
    Route("/quotes", post_quote, methods=["POST"]),
    Route("/orders", post_order, methods=["POST"]),
    Route("/orders/{number:int}", show_order),
    Route("/orders/{number:int}/invoice", show_invoice),
    Route("/customers/{customer_id:int}/orders", customer_orders),
]
