"""Run a module of ours and tell a file now and then how many tasks its event loops have.

`python -m local.soak.watched FILE MODULE ARGUMENT...` becomes `python -m MODULE ARGUMENT...`.
"""

import asyncio
import runpy
import sys
from pathlib import Path
from typing import Any

from local.loops import Main, wrap_runs

_EVERY = 2.0


async def watching(coroutine: Main, file: Path) -> Any:
    """Run the coroutine; meanwhile write the number of this loop's tasks every two seconds."""
    telling = asyncio.create_task(_tell(file))
    try:
        return await coroutine
    finally:
        telling.cancel()


async def _tell(file: Path) -> None:
    half = file.with_suffix(".half")
    while True:
        # Without the one that counts.
        half.write_text(str(len(asyncio.all_tasks()) - 1))
        half.rename(file)
        await asyncio.sleep(_EVERY)


def main(file: str, module: str, *arguments: str) -> None:
    """Become the module."""
    wrap_runs(lambda coroutine: watching(coroutine, Path(file)))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
