"""What the reading routes of payments share: the reader of the lifespan, and outages."""

from collections.abc import Awaitable
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from psycopg import OperationalError

from workers.payments.reports import PaymentsReader
from workers.runtime.http import unavailable

T = TypeVar("T")


def reader_of(request: Request) -> PaymentsReader:
    """Give what the lifespan connected."""
    reader: PaymentsReader = request.app.state.reader
    return reader


Reader = Annotated[PaymentsReader, Depends(reader_of)]


async def answered(reading: Awaitable[T]) -> T:
    """Await the store; an outage is 503 with `Retry-After`."""
    try:
        return await reading
    except OperationalError as exc:
        raise unavailable("the database of payments is out of reach") from exc
