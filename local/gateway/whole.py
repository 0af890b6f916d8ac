"""The document of the public door, put together in this process: nothing needs to run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from fastapi import FastAPI

from comanda.ids import ShopId
from local.gateway.chalice_app import APPS
from local.gateway.documents import merge
from local.gateway.loading import REPOSITORY, load_app
from local.gateway.openapi import declarations_of, describe

JSON = dict[str, Any]


def whole_document() -> JSON:
    """Merge the documents of every pod's API and of both functions."""
    documents = {name: _pod(name) for name in _contexts()}
    for folder in APPS:
        documents[folder.removesuffix("_lambda")] = describe(
            load_app(folder), declarations_of(REPOSITORY / folder)
        )
    return merge(documents)


def _contexts() -> list[str]:
    return sorted(path.parent.name for path in (REPOSITORY / "workers").glob("*/api.py"))


def _pod(name: str) -> JSON:
    shops = (ShopId("lanchonete-da-ana"),)
    app: FastAPI = import_module(f"workers.{name}.api").build_app(shops, connect=_unconnected)
    return app.openapi()


@asynccontextmanager
async def _unconnected(_: FastAPI) -> AsyncIterator[None]:
    yield
