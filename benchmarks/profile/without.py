"""Run one of our modules with a mend undone: `benchmarks.profile.without MEND MODULE ...`.

So the state before a mend is measured beside the state after it, on the same machine, in the same
minutes and with the same features.
"""

import runpy
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import comanda.garbage


def collector_as_it_comes() -> None:
    """Let Python look for cycles as often as it does by default."""
    comanda.garbage.collect_seldom = lambda: None


def calls_by_aiobotocore() -> None:
    """Let aiobotocore serialise, sign, send and parse, where `workers.runtime.wire` does it."""
    from aiobotocore.config import AioConfig
    from aiobotocore.session import get_session

    from workers.runtime import aws

    @asynccontextmanager
    async def client(service: str) -> AsyncIterator[Any]:
        # Nothing but what the mended client has: its pool and its timeouts.
        config = AioConfig(max_pool_connections=64, connect_timeout=3, read_timeout=30)
        async with get_session().create_client(service, config=config) as opened:
            yield opened

    vars(aws)["aws_client"] = client


MENDS: dict[str, Callable[[], None]] = {
    "calls": calls_by_aiobotocore,
    "collector": collector_as_it_comes,
}


def main(mend: str, module: str, *arguments: str) -> None:
    """Become the module."""
    MENDS[mend]()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
