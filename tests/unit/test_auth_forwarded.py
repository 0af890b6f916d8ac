"""Auth asks for the screens' keys seldom, learns new ones in a minute, and does without them."""

import json
import logging
from typing import Any

import pytest

from auth_lambda.chalicelib.aws import Unavailable
from auth_lambda.chalicelib.forwarded import Screens
from comanda.forwarding import Target, told
from tests.identity_builders import Clock

GUESTS = Target(method="POST", path="/apis/auth/cantina/guests")
HERE = "203.0.113.7"
OLD, NEW = b"o" * 32, b"n" * 32


class Secret:
    """The secret, and how often it was read."""

    def __init__(self, *keys: bytes) -> None:
        self.text: str | None = None
        self.reads = 0
        self.put(*keys)

    def put(self, *keys: bytes) -> None:
        self.text = json.dumps({"keys": ",".join(key.hex() for key in keys)})

    def read(self) -> str:
        self.reads += 1
        if self.text is None:
            raise Unavailable("AWS answered InternalError")
        return self.text


@pytest.fixture
def clock() -> Clock:
    return Clock()


def believed(screens: Screens, clock: Clock, key: bytes) -> str | None:
    return screens.address_in(told(HERE, target=GUESTS, now=clock(), key=key), target=GUESTS)


def test_a_flood_of_false_words_has_the_secret_read_once_a_minute(clock: Clock) -> None:
    secret = Secret(OLD)
    screens = Screens(secret.read, clock=clock)

    assert {screens.address_in("1;1.1.1.1;0", target=GUESTS) for _ in range(50)} == {None}

    clock.advance(seconds=59)
    assert believed(screens, clock, OLD) == HERE
    assert secret.reads == 1


def test_a_new_key_is_believed_within_a_minute_and_the_old_one_until_it_is_dropped(
    clock: Clock,
) -> None:
    secret = Secret(OLD)
    screens = Screens(secret.read, clock=clock)
    before = believed(screens, clock, OLD)

    secret.put(NEW, OLD)
    clock.advance(minutes=1)
    both = believed(screens, clock, NEW), believed(screens, clock, OLD)
    secret.put(NEW)
    clock.advance(minutes=1)
    after = believed(screens, clock, NEW), believed(screens, clock, OLD)

    assert (before, both, after) == (HERE, (HERE, HERE), (HERE, None))


def test_keys_stay_while_the_secret_cannot_be_read(clock: Clock) -> None:
    secret = Secret(OLD)
    screens = Screens(secret.read, clock=clock)
    believed(screens, clock, OLD)
    secret.text = None
    clock.advance(minutes=2)

    assert believed(screens, clock, OLD) == HERE
    assert secret.reads == 2


@pytest.mark.parametrize("text", [None, "", "{}", "[]", "7", '{"keys": ""}', '{"keys": "abc"}'])
def test_a_secret_that_is_missing_or_none_ends_no_request(
    clock: Clock, text: Any, caplog: pytest.LogCaptureFixture
) -> None:
    secret = Secret(OLD)
    secret.text = text

    with caplog.at_level(logging.INFO):
        address = believed(Screens(secret.read, clock=clock), clock, OLD)

    assert address is None
    assert "keys" in caplog.text
    assert HERE not in str([vars(record) for record in caplog.records])
