"""Serve the simulator: `python -m local.mercadopago --port P --data DIR --config FILE`."""

import argparse
import json
from pathlib import Path

import uvloop
from aiohttp import web

from comanda.garbage import collect_seldom
from comanda.telemetry import configure_logging
from local.mercadopago.app import application
from local.mercadopago.applications import Application


def main() -> None:
    """Read the state and the applications, then serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local.mercadopago")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--seed", default="comanda")
    chosen = parser.parse_args()
    configure_logging("mercadopago")
    facts = json.loads(chosen.config.read_text())["applications"]
    secrets = [tuple(fact.pop("webhook_secrets")) for fact in facts]
    applications = [
        Application(webhook_secrets=secret, **fact)
        for secret, fact in zip(secrets, facts, strict=True)
    ]
    collect_seldom()
    uvloop.install()
    web.run_app(
        application(chosen.data, applications, seed=chosen.seed),
        host="127.0.0.1",
        port=chosen.port,
        access_log=None,
        print=None,
        shutdown_timeout=1,
    )


if __name__ == "__main__":
    main()
