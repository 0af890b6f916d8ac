"""Where a webhook may lead: to the internet, and nowhere into our own network."""

import socket

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

from comanda.settings import SettingsError
from workers.orders.outbound import (
    GuardedResolver,
    UnsafeAddress,
    check_url,
    is_public,
    outbound_session,
    refuse_loopback_in_production,
)


@pytest.mark.parametrize(
    "url",
    [
        "https://caixa.exemplo.com.br/comanda",
        "https://caixa.exemplo.com.br:8443/a?b=c",
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]/",
    ],
)
def test_a_public_https_address_is_fine(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "caixa.exemplo.com.br",
        "http://caixa.exemplo.com.br/",
        "ftp://caixa.exemplo.com.br/",
        "file:///etc/passwd",
        "https://",
        "https://ana:senha@caixa.exemplo.com.br/",
        "https://caixa.exemplo.com.br/#a",
        "https://caixa.exemplo.com.br:22/",
        "https://caixa.exemplo.com.br:99999/",
        "https://caixa.exemplo.com.br/a b",
        "https://caixa.exemplo.com.br/\r\nHost: x",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://192.168.1.1/",
        "https://[::1]/",
        "https://[fe80::1%25eth0]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00:ec2::254]/",
        "https://2130706433/",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://0x7f000001/",
        "https://a.0x7f./",
        "https://[fec0::1]/",
        "https://" + "a" * 500 + ".com/",
    ],
)
def test_what_is_no_public_https_address_is_refused(url: str) -> None:
    with pytest.raises(UnsafeAddress):
        check_url(url)


def test_a_laptop_may_call_itself_and_nothing_else_that_is_private() -> None:
    assert check_url("http://127.0.0.1:8080/x", may_be_loopback=True)
    with pytest.raises(UnsafeAddress):
        check_url("http://10.0.0.1/", may_be_loopback=True)
    with pytest.raises(SettingsError):
        refuse_loopback_in_production(stage="prod", webhooks_to_loopback=True)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104  # Nothing is bound to it here.
        "100.64.0.1",
        "172.16.0.1",
        "169.254.170.2",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "192.0.0.8",
        "fec0::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:1::1",
    ],
)
def test_an_address_of_our_own_network_is_known_in_any_wrapping(address: str) -> None:
    assert not is_public(address)


class Rebinding(AbstractResolver):
    """A name server that gives a public address first and a private one ever after."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(hostname=host, host=a, port=port, family=family, proto=0, flags=0)
            for a in answer
        ]

    async def close(self) -> None:
        return None


async def test_a_name_that_changes_to_a_private_address_is_not_called() -> None:
    resolver = GuardedResolver(resolver=Rebinding(["8.8.8.8"], ["127.0.0.1"]))

    first = await resolver.resolve("caixa.exemplo.com.br", 443)

    assert first[0]["host"] == "8.8.8.8"
    with pytest.raises(OSError, match="not public"):
        await resolver.resolve("caixa.exemplo.com.br", 443)
    await resolver.close()


async def test_a_name_with_one_private_address_among_public_ones_is_not_called() -> None:
    resolver = GuardedResolver(resolver=Rebinding(["8.8.8.8", "10.0.0.1"]))

    with pytest.raises(OSError, match="not public"):
        await resolver.resolve("caixa.exemplo.com.br", 443)


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001"])
async def test_the_session_reaches_no_loopback_server_by_any_spelling(host: str) -> None:
    reached = []

    async def seen(request: web.Request) -> web.Response:
        reached.append(request.path)
        return web.Response()

    app = web.Application()
    app.router.add_get("/", seen)
    async with TestServer(app) as server, outbound_session() as session:
        with pytest.raises((aiohttp.ClientError, OSError)):
            await session.get(f"http://{host}:{server.port}/")

    assert reached == []
