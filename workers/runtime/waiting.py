"""Wait for the first of several things."""

import asyncio
from collections.abc import Awaitable


async def first_of(*works: Awaitable[object], seconds: float | None = None) -> None:
    """Wait until one of them is done, or so long; what was only awaited here is cancelled."""
    given = [work for work in works if isinstance(work, asyncio.Task)]
    made = [asyncio.ensure_future(work) for work in works if not isinstance(work, asyncio.Task)]
    await asyncio.wait([*given, *made], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in made:
        task.cancel()
    await asyncio.gather(*made, return_exceptions=True)
