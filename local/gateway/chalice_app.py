"""Serve one Chalice app: `python -m local.gateway.chalice_app auth_lambda --port P`."""

import argparse

import uvicorn

from comanda.telemetry import configure_logging
from local.gateway.adapter import ChaliceGateway
from local.gateway.loading import load_app

APPS = ("auth_lambda", "webhooks_lambda")


def main() -> None:
    """Load the app, then serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local.gateway.chalice_app")
    parser.add_argument("app", choices=APPS)
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args()
    configure_logging(chosen.app)
    uvicorn.run(
        ChaliceGateway(load_app(chosen.app), name=chosen.app),
        host="127.0.0.1",
        port=chosen.port,
        lifespan="off",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=10,
        timeout_keep_alive=60,
    )


if __name__ == "__main__":
    main()
