"""Serve the guard on 127.0.0.1; run by ministack's own Python.

`serve.py --port PORT --config FILE --record FILE`; `local.iam.laptop` writes the configuration.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path


def main() -> None:
    """Read the arguments and serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--record", type=Path, required=True)
    chosen = parser.parse_args()
    # Run by its path, a script finds only its own folder.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    import uvloop

    # Each kind of call is in the record's file before its answer leaves.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    uvloop.run(_serve(chosen.port, json.loads(chosen.config.read_text()), chosen.record))


async def _serve(port: int, told: dict[str, object], record: Path) -> None:
    from local.iam.relay import Backends, Connection
    from local.iam.told import backends_of, guard_of

    guard, urls = guard_of(told, record=record), backends_of(told)
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(guard.answer, Backends(urls)), host="127.0.0.1", port=port
    )
    await server.serve_forever()


if __name__ == "__main__":
    main()
