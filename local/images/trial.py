"""Try the image as a pod would run it: read-only, nobody, little memory, and told to leave."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import boto3
from botocore.exceptions import BotoCoreError
from cryptography.fernet import Fernet

from local.images.engine import IMAGE, REPOSITORY, Skipped, need, run
from local.supervisor.ports import reserve_ports

_FLAGS = (
    "--runtime=runc",
    "--cgroup-manager=cgroupfs",
    "--network=host",
    "--read-only",
    "--read-only-tmpfs=false",
    "--tmpfs=/tmp:size=64m,mode=1777",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--ulimit=nofile=1024:1024",
    "--ulimit=nproc=4096:4096",
    "--no-healthcheck",
)
_MOST_SECONDS = 20.0
_REGION = "sa-east-1"


def try_image() -> list[str]:
    """Run all trials, and give what was seen; raise `AssertionError` or `Skipped`."""
    need("podman", "runc")
    if run("podman", "image", "exists", IMAGE, may_fail=True).returncode != 0:
        raise Skipped("there is no image yet: make image")
    return [_nobody_and_read_only(), _killed_over_the_limit(), _drained(), _screens()]


def _nobody_and_read_only() -> str:
    script = (
        "import os, pathlib\n"
        "assert os.getuid() == 10001, os.getuid()\n"
        "pathlib.Path('/tmp/x').write_text('x')\n"
        "try: pathlib.Path('/app/x').write_text('x')\n"
        "except OSError as exc: print('refused:', exc.strerror)\n"
        "else: raise SystemExit('the root can be written')\n"
    )
    said = run("podman", "run", "--rm", *_FLAGS, IMAGE, "python", "-c", script).stdout.strip()
    return f"uid 10001, the root {said}"


def _killed_over_the_limit() -> str:
    greedy = "x = bytearray(256 * 1024 * 1024)"
    limits = ("--memory=64m", "--memory-swap=64m")
    done = run(
        "podman", "run", "--rm", *_FLAGS, *limits, IMAGE, "python", "-c", greedy, may_fail=True
    )
    if done.returncode != 137:
        raise AssertionError(f"64 MiB were not a limit: exit {done.returncode} {done.stderr}")
    return "beyond 64 MiB it is killed: exit 137"


def _drained() -> str:
    with (
        reserve_ports(2) as (bus, health),
        TemporaryDirectory() as folder,
        _bus(bus, folder) as url,
    ):
        variables = _variables(url, health=health)
        name = f"comanda-trial-{os.getpid()}"
        options = [part for item in variables.items() for part in ("--env", "=".join(item))]
        run(
            "podman", "run", "--detach", "--name", name, "--memory=384m", *_FLAGS, *options,
            IMAGE, "python", "-m", "workers.orders.worker",
        )  # fmt: skip
        try:
            _await_live(health, name=name)
            began = time.monotonic()
            run("podman", "kill", "--signal", "TERM", name)
            status = run("podman", "wait", name, seconds=60).stdout.strip()
            seconds = time.monotonic() - began
        finally:
            run("podman", "rm", "--force", name, may_fail=True)
    if status != "0":
        raise AssertionError(f"after SIGTERM the worker left with {status}")
    return f"a worker that receives leaves {seconds:.1f} s after SIGTERM: exit 0"


def _screens() -> str:
    with reserve_ports(1) as (port,):
        variables = _variables_of_screens(port)
        options = [part for item in variables.items() for part in ("--env", "=".join(item))]
        name = f"comanda-screens-{os.getpid()}"
        run(
            "podman", "run", "--detach", "--name", name, "--memory=384m", *_FLAGS, *options,
            IMAGE, "python", "-m", "console.screens",
        )  # fmt: skip
        try:
            _await_live(port, name=name)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/assets/0/site.css") as page:
                size = len(page.read())
        finally:
            run("podman", "rm", "--force", name, may_fail=True)
    if not size:
        raise AssertionError("the screens have no style")
    return f"the screens live, with {size} bytes of style"


def _variables_of_screens(port: int) -> dict[str, str]:
    nowhere = "http://127.0.0.1:9"
    contexts = ("AUTH", "ORDERS", "CATALOG", "PAYMENTS", "ARCHIVE")
    return {
        **{f"COMANDA_{name}_URL": nowhere for name in contexts},
        "COMANDA_STAGE": "laptop",
        "COMANDA_SHOPS": "lanchonete-da-ana",
        "COMANDA_PUBLIC_URL": nowhere,
        "COMANDA_CONSOLE_KEYS": Fernet.generate_key().decode(),
        "COMANDA_HTTP_PORT": str(port),
        "AWS_DEFAULT_REGION": _REGION,
    }


@contextmanager
def _bus(port: int, folder: str) -> Iterator[str]:
    command = [sys.executable, "-m", "local.bus", "--port", str(port), "--data", folder]
    process = subprocess.Popen(command, cwd=REPOSITORY)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _variables(url: str, *, health: int) -> dict[str, str]:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": _REGION}
    end = time.monotonic() + _MOST_SECONDS
    sqs = boto3.client("sqs", endpoint_url=url, **keys)
    while True:
        try:
            queues = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("orders", "dlq")]
            break
        except BotoCoreError:  # The bus is not there yet.
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
    return {
        **{
            name.upper().replace("REGION_NAME", "AWS_REGION"): value for name, value in keys.items()
        },
        "AWS_DEFAULT_REGION": _REGION,
        "AWS_ENDPOINT_URL": url,
        "COMANDA_STAGE": "laptop",
        "COMANDA_TOPIC_ARN": f"arn:aws:sns:{_REGION}:000000000000:orders-events",
        "COMANDA_QUEUE_URL": queues[0],
        "COMANDA_DLQ_URL": queues[1],
        "COMANDA_ORDERS_TABLE": "orders",
        "COMANDA_HEALTH_PORT": str(health),
    }


def _await_live(port: int, *, name: str) -> None:
    end = time.monotonic() + _MOST_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=2) as page:
                if json.load(page) == {"status": "live"}:
                    return
        except (OSError, urllib.error.URLError) as exc:
            if time.monotonic() > end:
                logs = run("podman", "logs", name, may_fail=True)
                raise AssertionError(f"it never lived: {logs.stderr[-2000:]}") from exc
            time.sleep(0.1)
