"""Be there when an event loop of somebody else's program begins."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import uvicorn.server
import uvloop

Main = Coroutine[Any, Any, Any]
# Workers and the gateway run by the first two, APIs and screens by the last.
_RUNNERS = ((uvloop, "run"), (asyncio, "run"), (uvicorn.server, "asyncio_run"))


def wrap_runs(around: Callable[[Main], Main]) -> None:
    """From now on let each program of this process run what `around` makes of its coroutine."""
    for module, name in _RUNNERS:
        vars(module)[name] = _wrapped(vars(module)[name], around)


def _wrapped(run: Callable[..., Any], around: Callable[[Main], Main]) -> Callable[..., Any]:
    def wrapped_run(coroutine: Main, **words: Any) -> Any:
        return run(around(coroutine), **words)

    return wrapped_run
