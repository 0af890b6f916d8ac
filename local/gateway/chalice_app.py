"""Serve one Chalice app: `python -m local.gateway.chalice_app auth_lambda --port P`."""

import argparse
from functools import cache
from typing import Any

import uvicorn

from comanda.garbage import collect_seldom
from comanda.identity.settings import IdentitySettings, verifier_from
from comanda.settings import read
from comanda.telemetry import configure_logging
from local.gateway.adapter import ChaliceGateway
from local.gateway.authorizer import Authorize, Claims, authorize_with
from local.gateway.loading import REPOSITORY, load_app
from local.gateway.openapi import declarations_of, describe
from local.gateway.schedules import start_bells

# Where each app's OpenAPI document is served, beside its routes.
APPS = {"auth_lambda": "/apis/auth/openapi.json", "webhooks_lambda": "/webhooks/openapi.json"}


def gateway_of(folder: str) -> ChaliceGateway:
    """Load the app of a folder and put API Gateway in front of it."""
    return _gateway(folder, load_app(folder))


def _gateway(folder: str, app: Any) -> ChaliceGateway:
    document = describe(app, declarations_of(REPOSITORY / folder))
    documents = {APPS[folder]: document}
    return ChaliceGateway(app, name=folder, authorize=_authorize, documents=documents)


def _authorize(token: str) -> Claims:
    return _checker()(token)


@cache
def _checker() -> Authorize:
    # Only an app with guarded routes is told who issues tokens.
    return authorize_with(verifier_from(read(IdentitySettings)))


def main() -> None:
    """Load the app, then serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local.gateway.chalice_app")
    parser.add_argument("app", choices=APPS)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--silent", action="store_true", help="ring no schedule here")
    chosen = parser.parse_args()
    configure_logging(chosen.app)
    app = load_app(chosen.app)
    gateway = _gateway(chosen.app, app)
    if not chosen.silent:
        start_bells(app)
    collect_seldom()
    uvicorn.run(
        gateway,
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
