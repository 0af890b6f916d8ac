"""Pods sign in to PostgreSQL by tokens: real server, real TLS, a signer of our own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import OperationalError, sql

from local.postgres import running_postgres
from tests.postgres_tls import HOST, Door, tls_before
from workers.payments.migrate import migrate
from workers.runtime import postgres_iam
from workers.runtime.postgres_iam import SignIn, UnsafeAddress, address_maker, signed_in
from workers.runtime.postgres_pool import postgres_pool

USER = "payments_app"


class Tokens:
    """Gives token after token; PostgreSQL takes the newest alone, as the password of the user."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.asked: list[SignIn] = []

    def __call__(self, whom: SignIn) -> str:
        self.asked.append(whom)
        # What AWS gives is a signed query, with all the signs that an address must escape.
        token = f"{whom.host}:{whom.port}/?Action=connect&n={len(self.asked)}&s=%2F/@+é"
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(whom.user), token)
            )
        return token


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(tmp_path_factory.mktemp("pg")) as dsn:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {USER} LOGIN")
            connection.execute(f"CREATE DATABASE payments OWNER {USER}")
        yield dsn


@pytest.fixture(scope="module")
def door(dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with tls_before(int(urlsplit(dsn).port or 0), tmp_path_factory.mktemp("tls")) as door:
        yield door


@pytest.fixture
def tokens(dsn: str, monkeypatch: pytest.MonkeyPatch) -> Tokens:
    given = Tokens(dsn)
    monkeypatch.setattr(postgres_iam, "_sign", given)
    return given


def address(door: Door, *, database: str = "payments", authority: Path | None = None) -> str:
    query = f"sslmode=verify-full&sslrootcert={authority or door.authority}"
    return f"postgresql+iam://{USER}@{HOST}:{door.port}/{database}?{query}"


async def test_each_connection_of_a_pool_brings_a_token_of_its_own(
    door: Door, tokens: Tokens
) -> None:
    async with postgres_pool(address(door), size=2) as pool:
        async with pool.connection() as connection:
            answer = await connection.execute("SELECT current_user AS who")
            first = await answer.fetchone()
        asked = len(tokens.asked)
        # The server forgets the session, as it does when RDS fails over.
        async with pool.connection() as connection:
            await connection.close()
        async with pool.connection() as one, pool.connection() as other:
            assert (await one.execute("SELECT 1")).rowcount == 1
            assert (await other.execute("SELECT 1")).rowcount == 1

    assert first == {"who": USER}
    assert asked >= 2
    assert len(tokens.asked) > asked
    assert set(tokens.asked) == {SignIn(host=HOST, port=door.port, user=USER)}


def test_yesterdays_token_opens_nothing(door: Door, tokens: Tokens) -> None:
    old = signed_in(address(door), sign=tokens)
    new = signed_in(address(door), sign=tokens)

    with psycopg.connect(new) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(OperationalError, match="password authentication failed"):
        psycopg.connect(old)


def test_a_token_is_not_sent_to_a_server_that_another_authority_vouches_for(
    door: Door, tokens: Tokens, tmp_path: Path
) -> None:
    with tls_before(1, tmp_path) as stranger:
        url = signed_in(address(door, authority=stranger.authority), sign=tokens)

    with pytest.raises(OperationalError, match="certificate verify failed"):
        psycopg.connect(url)


def test_a_migration_signs_in_by_token(door: Door, tokens: Tokens, dsn: str) -> None:
    migrate(address(door))

    with psycopg.connect(dsn.replace("/postgres", "/payments")) as connection:
        owners = connection.execute(
            "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
    assert owners == [(USER,)]
    assert tokens.asked


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+iam://app@db/payments",
        "postgresql+iam://app@db/payments?sslmode=require",
        "postgresql+iam://app@db/payments?sslmode=verify-full&sslmode=disable",
        "postgresql+iam://app:secret@db/payments?sslmode=verify-full",
        "postgresql+iam://db/payments?sslmode=verify-full",
    ],
)
@pytest.mark.parametrize("use", [signed_in, address_maker])
def test_an_address_that_could_give_a_token_away_is_refused(
    url: str, use: Callable[[str], object]
) -> None:
    with pytest.raises(UnsafeAddress):
        use(url)


def test_any_other_address_is_used_as_it_stands() -> None:
    url = "postgresql://comanda:p%40ss@127.0.0.1:5432/payments"

    assert signed_in(url) == url
    assert address_maker(url) == url


def test_the_token_is_what_aws_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_DEFAULT_REGION", "sa-east-1"),
    ):
        monkeypatch.setenv(name, value)
    postgres_iam._client.cache_clear()

    token = postgres_iam._sign(SignIn(host="db.example", port=5432, user="payments_app"))

    postgres_iam._client.cache_clear()
    assert token.startswith("db.example:5432/?Action=connect&DBUser=payments_app&")
    assert "%2Fsa-east-1%2Frds-db%2Faws4_request" in token
    assert "X-Amz-Expires=900" in token
