"""Server-sent events: whole fragments of a page, and a sign of life in between.

A stream ends before the 29 seconds at which gateways cut a request; the page comes back by itself
and says with `Last-Event-ID` what it has.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from time import monotonic

from starlette.responses import StreamingResponse

from console.screens.board import Board

LONGEST = timedelta(seconds=25)
_BEAT = 2.0
# A board that was read so lately is as good as live.
_SILENT_AFTER = 3.0


def event(fragment: str, *, name: str | None = None, ident: str | None = None) -> str:
    """Write one event; a fragment of several lines is several lines of data."""
    head = (f"event: {name}\n" if name else "") + (f"id: {ident}\n" if ident else "")
    data = "".join(f"data: {line}\n" for line in fragment.splitlines() or [""])
    return f"{head}{data}\n"


async def follow(
    board: Board, template: str, *, token: str, seen: str, longest: timedelta = LONGEST
) -> AsyncGenerator[str, None]:
    """Send the board with each change; say how long it has been silent when it cannot be read."""
    until = monotonic() + longest.total_seconds()
    number, last = 0, seen
    while (left := until - monotonic()) > 0:
        frame = await board.next(token, after=number, limit=min(_BEAT, left))
        if frame is not None:
            number = frame.number
            if frame.digest != last:
                last = frame.digest
                yield event(frame.show(template), ident=frame.digest)
        # The page believes what it shows only as long as it hears this.
        silence = board.silence
        name = "silent" if silence > _SILENT_AFTER else "alive"
        yield event(f"{silence:.0f}", name=name)


def streamed(events: AsyncGenerator[str, None], *, stopping: asyncio.Event) -> StreamingResponse:
    """Answer with events, until there are no more or the process is told to stop."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        _until(stopping, events), media_type="text/event-stream", headers=headers
    )


async def _until(stopping: asyncio.Event, events: AsyncGenerator[str, None]) -> AsyncIterator[str]:
    stop = asyncio.create_task(stopping.wait(), name="stream stops")
    # Whoever hangs up ends our own reading too.
    async with aclosing(events):
        try:
            while True:
                following = asyncio.ensure_future(anext(events, None))
                await asyncio.wait({following, stop}, return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    return
                item = following.result()
                if item is None:
                    return
                yield item
        finally:
            stop.cancel()
            following.cancel()
            await asyncio.gather(following, stop, return_exceptions=True)
