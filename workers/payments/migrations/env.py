"""Run the migrations of payments in one transaction, one process at a time."""

from alembic import context
from sqlalchemy import create_engine, pool, text

# Any number, as long as all migrators of this database take the same one.
_LOCK = 0x9A1DB111


def _run(url: str) -> None:
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.begin() as connection:
        # Two pods that start together must not both create the tables.
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        context.configure(connection=connection)
        context.run_migrations()
    engine.dispose()


_run(context.config.attributes["url"])
