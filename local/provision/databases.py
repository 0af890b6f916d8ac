"""Make the PostgreSQL databases, migrate them, and put the menus into the catalog."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import psycopg
from psycopg import sql

from local.provision.context import REPOSITORY
from local.supervisor.parts import SystemFailed


class CommandFailed(SystemFailed):
    """A command of ours ended with an error; the message holds what it wrote."""


async def provision_database(server_dsn: str, *, dsn: str) -> None:
    """Make the database that `dsn` leads to unless it is there."""
    name = _name_of(dsn)
    connection = await psycopg.AsyncConnection.connect(server_dsn, autocommit=True)
    async with connection:
        with suppress(psycopg.errors.DuplicateDatabase):
            await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


async def drop_database(server_dsn: str, *, dsn: str) -> None:
    """Drop the database that `dsn` leads to, whoever may be in it, if it is there."""
    connection = await psycopg.AsyncConnection.connect(server_dsn, autocommit=True)
    async with connection:
        name = sql.Identifier(_name_of(dsn))
        await connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def _name_of(dsn: str) -> str:
    return dsn.rpartition("/")[2].partition("?")[0]


async def can_connect(dsn: str) -> bool:
    """Tell whether the server takes connections; a probe."""
    try:
        connection = await psycopg.AsyncConnection.connect(dsn, connect_timeout=2)
    except psycopg.OperationalError:
        return False
    await connection.close()
    return True


async def run_module(module: str, *, python: str, environment: Mapping[str, str]) -> None:
    """Run `python -m module`; raise `CommandFailed` with its output unless it ends well."""
    process = await asyncio.create_subprocess_exec(
        *(python, "-m", module),
        env=dict(environment),
        cwd=REPOSITORY,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise CommandFailed(
            f"python -m {module} ended with status {process.returncode}:\n"
            + output.decode(errors="replace")[-4000:]
        )
