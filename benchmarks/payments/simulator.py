"""The Mercado Pago simulator as a process of its own, for whoever measures a client."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import urllib3

from local.mercadopago.applications import Application
from local.supervisor.ports import reserve_ports

TOKEN = "APP_USR-SIM-1"  # noqa: S105  # It opens nothing.
_APPLICATION = Application(
    shop="lanchonete-da-ana",
    access_token=TOKEN,
    user_id="42",
    application_id="1",
    webhook_secrets=("none",),
    webhook_url="http://127.0.0.1:9/",
)
_READY_SECONDS = 20.0


@contextmanager
def running_simulator(folder: Path) -> Iterator[str]:
    """Start it, let it send no notifications, and end it; give its address."""
    config = folder / "config.json"
    config.write_text(json.dumps({"applications": [asdict(_APPLICATION)]}))
    with reserve_ports(1) as (port,):
        pass
    command = [sys.executable, "-m", "local.mercadopago", "--port", str(port)]
    command += ["--data", str(folder / "data"), "--config", str(config)]
    with (folder / "simulator.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url)
        urllib3.request("POST", f"{url}/_control/faults", json={"kind": "webhook_never"})
        yield url
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait(url: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            urllib3.request("GET", f"{url}/health", retries=False, timeout=1.0)
        except urllib3.exceptions.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
