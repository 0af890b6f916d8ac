"""The archive over HTTP: staff read journeys and find events; owners have them sent again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import APIRouter, Depends, FastAPI

from comanda.clock import utc_now
from comanda.identity.settings import IdentitySettings, verifier_from
from comanda.ids import ShopId
from comanda.settings import read
from comanda.telemetry import configure_logging
from workers.archive import routes_acts, routes_reading, routes_replays
from workers.archive.act_items import DynamoActBook
from workers.archive.doors import Shelves
from workers.archive.objects import S3Objects, s3_client
from workers.archive.plan import retention
from workers.archive.replay_items import DynamoReplayBook
from workers.archive.repository import DynamoIndex
from workers.archive.table import ArchiveTable
from workers.runtime.aws import dynamodb_client
from workers.runtime.http import Lifespan, create_api, known_shop, serve


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveApiSettings:
    """What the API of the archive reads from its environment."""

    stage: str
    shops: tuple[ShopId, ...]
    archive_table: str
    archive_bucket: str
    http_port: int
    http_host: str = "127.0.0.1"


router = APIRouter(prefix="/apis/archive/{shop}", dependencies=[Depends(known_shop)])
router.include_router(routes_reading.router)
router.include_router(routes_replays.router)
router.include_router(routes_acts.router)


def build_app(shops: tuple[ShopId, ...], *, connect: Lifespan) -> FastAPI:
    """Make the app; `connect` sets `shelves` and `verifier` on its state."""

    async def probe() -> None:
        await app.state.shelves.index.ping()
        await app.state.shelves.objects.ping()

    app = create_api("archive", probe=probe, lifespan=connect)
    app.state.shops = frozenset(shops)
    app.include_router(router)
    return app


def main() -> None:
    """Serve the archive until SIGTERM."""
    configure_logging("archive-api")
    settings = read(ArchiveApiSettings)
    identity = read(IdentitySettings)

    @asynccontextmanager
    async def connect(app: FastAPI) -> AsyncIterator[None]:
        async with dynamodb_client() as client, s3_client() as s3:
            objects = S3Objects(s3, bucket=settings.archive_bucket)
            table = ArchiveTable(client, name=settings.archive_table)
            index = DynamoIndex(table, objects=objects, clock=utc_now, retention=retention())
            app.state.shelves = Shelves(
                index=index,
                objects=objects,
                book=DynamoReplayBook(table),
                acts=DynamoActBook(table),
                clock=utc_now,
            )
            app.state.verifier = verifier_from(identity)
            yield

    serve(
        build_app(settings.shops, connect=connect), host=settings.http_host, port=settings.http_port
    )


if __name__ == "__main__":
    main()
