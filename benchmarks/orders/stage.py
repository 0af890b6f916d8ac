"""A table of orders on ministack, and processes that serve from it."""

import http.client
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.workers.bedside import KEYS
from benchmarks.workers.measure import inherited
from benchmarks.workers.processes import running
from benchmarks.workers.stores import dynamodb, table_client
from comanda.settings import topology
from local.provision.tables import table_request
from local.supervisor.ports import reserve_ports

TABLE = "comanda-bench-orders"
_PATIENCE = 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """A process that answers under this address."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def orders_table(folder: Path) -> Iterator[dict[str, str]]:
    """Serve an empty table of orders; give what leads a client of AWS to it."""
    with dynamodb(folder) as (address, _):
        make_table(address, TABLE)
        yield {**KEYS, "AWS_ENDPOINT_URL_DYNAMODB": address, "COMANDA_ORDERS_TABLE": TABLE}


def make_table(address: str, name: str) -> None:
    """Make a table as topology.json has it."""
    shape = topology()["contexts"]["orders"]["tables"]["orders"]
    table_client(address).create_table(**table_request(name, shape))


@contextmanager
def serving(
    command: tuple[str, ...], *, environment: Mapping[str, str], path: str, log: Path
) -> Iterator[Served]:
    """Run a server until the end of the block; it is ready when `path` is answered with 200."""
    with reserve_ports(1) as (port,):
        env = {**inherited(), **environment, "COMANDA_HTTP_PORT": str(port)}
        with running(command, env=env, log=log) as process:
            _wait(port, path, process=process, log=log)
            yield Served(url=f"http://127.0.0.1:{port}", process=process)


def _wait(port: int, path: str, *, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while not _is_answered(port, path):
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"a server did not start; see {log}")
        time.sleep(0.05)


def _is_answered(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
