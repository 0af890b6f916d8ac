"""Serve the collector: `python -m local.traces --port P --data DIR`; spans go to `spans.jsonl`."""

import argparse
import json
from pathlib import Path
from typing import TextIO

import uvloop
from aiohttp import web
from google.protobuf.message import DecodeError

from comanda.telemetry import configure_logging
from local.traces.reading import spans_in

FILE = "spans.jsonl"
# A batch of the SDK is 512 spans of less than a kilobyte.
_LARGEST = 16 * 1024 * 1024


def application(out: TextIO) -> web.Application:
    """Make the collector, which writes to `out` and answers once it is written."""

    async def take(request: web.Request) -> web.Response:
        try:
            lines = [json.dumps(span) + "\n" for span in spans_in(await request.read())]
        except DecodeError:
            return web.Response(status=400)
        out.write("".join(lines))
        out.flush()
        # An empty body is an `ExportTraceServiceResponse` that refuses nothing.
        return web.Response(content_type="application/x-protobuf")

    app = web.Application(client_max_size=_LARGEST)
    app.router.add_post("/v1/traces", take)
    return app


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local.traces", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    chosen = parser.parse_args()
    configure_logging("traces")
    uvloop.install()
    with (chosen.data / FILE).open("a") as out:
        web.run_app(
            application(out),
            host="127.0.0.1",
            port=chosen.port,
            access_log=None,
            print=None,
            shutdown_timeout=1,
        )


if __name__ == "__main__":
    main()
