"""What all routes of the catalog share: the shop, the store, who asks, tags, and refusals."""

import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request, Response
from psycopg import OperationalError

from comanda.hours import InvalidHours
from comanda.identity.verifier import Identity
from comanda.ids import ProductId
from workers.catalog.managing import MenuFull, NameTaken, ProductUnknown, VersionMismatch
from workers.catalog.pictures import InvalidPicture
from workers.catalog.ports import Catalog, CatalogReader
from workers.catalog.products import InvalidProduct
from workers.catalog.storeroom import (
    CorrectionTooLarge,
    ImpossibleQuantity,
    KeyReused,
    StockUnknown,
)
from workers.runtime.errors import RetryLater
from workers.runtime.http import Problem, staff, unavailable

T = TypeVar("T")
_PRODUCT = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_KEY = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)
_VERSION = re.compile(r'"(0|[1-9][0-9]{0,8})"', re.ASCII)


async def named_product(product_id: str) -> ProductId:
    """Take the product of the path; 404 for what cannot be one's id."""
    if not _PRODUCT.fullmatch(product_id):
        raise Problem(404, "There is no such product")
    return ProductId(product_id)


async def reader_of(request: Request) -> CatalogReader:
    """Give what the lifespan connected for reading."""
    reader: CatalogReader = request.app.state.reader
    return reader


async def catalog_of(request: Request) -> Catalog:
    """Give what the lifespan connected for changing."""
    catalog: Catalog = request.app.state.catalog
    return catalog


async def work_key(idempotency_key: Annotated[str, Header(max_length=128)]) -> str:
    """Take the name of a piece of work, so that doing it again does nothing more."""
    if not _KEY.fullmatch(idempotency_key):
        raise Problem(422, "Invalid request", detail="Idempotency-Key is 1 to 128 printable signs")
    return idempotency_key


async def wanted_version(if_match: Annotated[str | None, Header()] = None) -> int | None:
    """Take the version that an edit is based on: 428 without one; `*` stands for any."""
    if if_match is None:
        raise Problem(428, "If-Match is needed", detail="send the ETag of what you read, or *")
    if if_match.strip() == "*":
        return None
    found = _VERSION.fullmatch(if_match.strip())
    # A tag that was never given out matches nothing.
    return int(found[1]) if found else -1


async def now_of(request: Request) -> datetime:
    """Give the instant of the request, by the clock of the app."""
    now: datetime = request.app.state.clock()
    return now


NamedProduct = Annotated[ProductId, Depends(named_product)]
Reader = Annotated[CatalogReader, Depends(reader_of)]
Store = Annotated[Catalog, Depends(catalog_of)]
Now = Annotated[datetime, Depends(now_of)]
WorkKey = Annotated[str, Depends(work_key)]
WantedVersion = Annotated[int | None, Depends(wanted_version)]
Manager = Annotated[Identity, Depends(staff("manager", "owner"))]
Crew = Annotated[Identity, Depends(staff("kitchen", "manager", "owner"))]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the refusals of a route, for OpenAPI."""
    return {
        status: {"description": _MEANINGS[status], "content": {"application/problem+json": {}}}
        for status in statuses
    }


def tagged(version: int) -> dict[str, str]:
    """Give the header that names a version."""
    return {"ETag": f'"{version}"', "Cache-Control": "no-cache"}


def cached(body: str, *, if_none_match: str) -> Response:
    """Answer with JSON and the tag of its bytes, or with 304 when the client has just that."""
    tag = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    # A proxy that compresses makes a tag weak; for a GET the comparison is weak too (RFC 9110).
    tags = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    if "*" in tags or tag in tags:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


async def body_of(request: Request, *, limit: int) -> bytes:
    """Read a body of at most `limit` bytes; 413 as soon as there are more."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise Problem(413, "The body is too large", detail=f"at most {limit} bytes")
    return body


async def answered(reading: Awaitable[T]) -> T:
    """Wait for an answer of the store; 503 when it is out of reach."""
    async with refusing():
        return await reading


@asynccontextmanager
async def refusing() -> AsyncIterator[None]:
    """Turn refusals and outages into problem documents."""
    try:
        yield
    except (OperationalError, RetryLater) as exc:
        raise unavailable("the catalog's database is out of reach") from exc
    except tuple(_REFUSALS) as exc:
        raise _REFUSALS[type(exc)](exc) from exc


def _invalid(field: str, message: str) -> Problem:
    errors = [{"field": field, "message": message}]
    return Problem(422, "Invalid request", detail="see errors", errors=errors)


def _short(exc: Any) -> Problem:
    return Problem(409, "More than is left", detail=str(exc))


def _stale(exc: Any) -> Problem:
    detail = f"somebody changed it meanwhile; the version is {exc.current}"
    return Problem(412, "Not the current version", detail=detail, headers=tagged(exc.current))


_REFUSALS: dict[type[Exception], Callable[[Any], Problem]] = {
    ProductUnknown: lambda _: Problem(404, "There is no such product"),
    StockUnknown: lambda _: Problem(404, "There is no such product"),
    NameTaken: lambda _: Problem(409, "Another product of the menu has this name"),
    MenuFull: lambda _: Problem(409, "The menu is full"),
    VersionMismatch: _stale,
    CorrectionTooLarge: _short,
    KeyReused: lambda _: Problem(409, "This Idempotency-Key named another quantity before"),
    InvalidProduct: lambda exc: _invalid(exc.field, exc.fault),
    InvalidHours: lambda exc: _invalid("body", str(exc)),
    InvalidPicture: lambda exc: Problem(415, "Not a picture", detail=str(exc)),
    ImpossibleQuantity: lambda exc: _invalid("body.quantity", str(exc)),
}
_MEANINGS = {
    400: "The body is malformed",
    401: "A good bearer token is needed",
    403: "This needs another role",
    404: "There is no such shop, product or picture",
    409: "It contradicts what the catalog holds",
    412: "Somebody changed it meanwhile",
    413: "The body is too large",
    415: "Not a kind of file that is taken here",
    422: "The request is not valid; `errors` names the fields",
    428: "If-Match is needed",
    503: "A part that this answer needs is down; come back after `Retry-After` seconds",
}
