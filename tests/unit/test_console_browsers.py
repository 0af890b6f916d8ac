"""The screens know whose browser asks by the hop that our own outermost proxy added."""

from typing import Any

import pytest

from comanda.forwarding import HEADER
from console.screens.browsers import Browsers, Teller, counted
from tests.identity_builders import Clock

HERE, PEER = "203.0.113.7", "10.0.0.9"


async def told(*lines: str, proxies: int, peer: str | None = PEER) -> str | None:
    """Give the address that auth is told, when a request comes with these lines."""
    found: list[str | None] = []
    teller = Teller("00" * 32, clock=Clock())

    async def app(*_: Any) -> None:
        text = teller.headers("POST", "/apis/auth/cantina/guests").get(HEADER)
        found.append(text.split(";")[1] if text else None)

    scope = {
        "type": "http",
        "headers": [(b"x-forwarded-for", line.encode()) for line in lines],
        "client": (peer, 1) if peer else None,
    }
    await Browsers(app, proxies=proxies)(scope, None, None)  # type: ignore[arg-type]
    return found[0]


@pytest.mark.parametrize(
    ("lines", "proxies", "address"),
    [
        ((), 0, PEER),
        (("198.51.100.1",), 0, PEER),
        ((HERE,), 1, HERE),
        ((f"{HERE}, 10.0.0.1",), 2, HERE),
        ((HERE, "10.0.0.1"), 2, HERE),
        (("198.51.100.1", f" {HERE} ,10.0.0.1"), 2, HERE),
        (("198.51.100.1, 198.51.100.2, 198.51.100.3", HERE), 1, HERE),
        ((",,,,", f"{HERE},10.0.0.1"), 2, HERE),
    ],
)
async def test_hops_that_a_browser_made_up_change_nothing(
    lines: tuple[str, ...], proxies: int, address: str
) -> None:
    assert await told(*lines, proxies=proxies) == address


@pytest.mark.parametrize(
    ("lines", "proxies"),
    [
        ((), 1),
        ((HERE,), 2),
        (("unknown",), 1),
        (("",), 1),
        ((f"{HERE}:443",), 1),
        ((f"{HERE};1",), 1),
    ],
)
async def test_where_no_address_is_known_nobody_is_told_one(
    lines: tuple[str, ...], proxies: int
) -> None:
    assert await told(*lines, proxies=proxies) is None


async def test_a_socket_without_a_peer_tells_nothing() -> None:
    assert await told(proxies=0, peer=None) is None


async def test_one_browser_is_not_told_for_the_next() -> None:
    first = await told(HERE, proxies=1)

    assert (first, await told(proxies=1)) == (HERE, None)


@pytest.mark.parametrize(
    ("text", "as_what"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("203.0.113.07", None),
        ("1" * 5000, None),
    ],
)
def test_all_addresses_that_one_line_gives_its_owner_count_as_one(
    text: str, as_what: str | None
) -> None:
    assert counted(text) == as_what


def test_fewer_than_no_proxies_are_refused() -> None:
    with pytest.raises(ValueError, match="proxies"):
        Browsers(None, proxies=-1)  # type: ignore[arg-type]
