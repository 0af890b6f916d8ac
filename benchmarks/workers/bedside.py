"""The bed as its users see it: start it, fill it, ask it."""

import http.client
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.workers.bed.bodies import QUEUE
from benchmarks.workers.bed.sqs import ACCOUNT
from benchmarks.workers.processes import running
from local.supervisor.ports import reserve_ports

_PATIENCE = 10.0
REGION = "sa-east-1"
# Invented; the bed asks nobody who they are.
KEYS = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class BedClient:
    """Control a bed that runs."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.queue_url = f"{self.url}/{ACCOUNT}/{QUEUE}"

    def ask(self, control: str, **fields: Any) -> Any:
        """Use one control; give its answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        try:
            connection.request("POST", f"/bed/{control}", json.dumps(fields))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def environment(self) -> dict[str, str]:
        """Give what a consumer of this bed finds in its environment."""
        return {
            **KEYS,
            "AWS_ENDPOINT_URL": self.url,
            "BENCH_QUEUE_URL": self.queue_url,
            "BENCH_DLQ_URL": f"{self.queue_url}-dlq",
        }


def _bed_environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "BENCH_SHOPS": os.environ.get("BENCH_SHOPS", "4")}


@contextmanager
def running_bed(logs: Path) -> Iterator[BedClient]:
    """Serve a fresh bed in a process of its own."""
    logs.mkdir(parents=True, exist_ok=True)
    with reserve_ports(1) as (port,):
        command = (sys.executable, "-m", "benchmarks.workers.bed", "--port", str(port))
        with running(command, env=_bed_environment(), log=logs / "bed.log") as process:
            bed = BedClient(port)
            until = time.monotonic() + _PATIENCE
            while True:
                try:
                    bed.ask("stats")
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > until:
                        raise RuntimeError(f"the bed did not start; see {logs}") from None
                    time.sleep(0.02)
            yield bed
