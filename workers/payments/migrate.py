"""Bring the database of payments to the newest schema: `python -m workers.payments.migrate`."""

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config

from comanda.settings import read
from workers.runtime.postgres_iam import signed_in


@dataclass(frozen=True, kw_only=True, slots=True)
class MigrateSettings:
    """What the migration reads from its environment."""

    database_url: str


def migrate(url: str, *, revision: str = "head") -> None:
    """Upgrade the database at a `postgresql://` address; nothing happens if it is up to date."""
    command.upgrade(_config(url), revision)


def unwind(url: str) -> None:
    """Take every step back; all data of payments is lost."""
    command.downgrade(_config(url), "base")


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    # SQLAlchemy would otherwise look for psycopg 2. An option would treat `%` as a sign of its own.
    address = signed_in(url).replace("postgresql://", "postgresql+psycopg://", 1)
    config.attributes["url"] = address
    return config


if __name__ == "__main__":
    migrate(read(MigrateSettings).database_url)
