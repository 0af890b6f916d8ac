"""Auth believes the address that our screens tell, for one request and a minute."""

from datetime import UTC, datetime, timedelta

import pytest

from comanda.forwarding import FRESH_FOR, InvalidKeys, Target, address_in, keys_in, told

NOW = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
KEY, NEW, FOREIGN = b"k" * 32, b"n" * 32, b"f" * 32
GUESTS = Target(method="POST", path="/apis/auth/cantina/guests")
HERE = "203.0.113.7"
WORD = told(HERE, target=GUESTS, now=NOW, key=KEY)


def believed(text: str, *, target: Target = GUESTS, now: datetime = NOW) -> str | None:
    return address_in(text, target=target, now=now, keys=(KEY,))


@pytest.mark.parametrize("address", [HERE, "2001:db8:1:2::/64"])
def test_what_we_signed_is_believed(address: str) -> None:
    assert believed(told(address, target=GUESTS, now=NOW, key=KEY)) == address


@pytest.mark.parametrize("keys", [(NEW, KEY), (KEY, NEW)])
def test_both_keys_of_a_rotation_are_believed(keys: tuple[bytes, ...]) -> None:
    words = [told(HERE, target=GUESTS, now=NOW, key=key) for key in (KEY, NEW, FOREIGN)]

    found = [address_in(word, target=GUESTS, now=NOW, keys=keys) for word in words]

    assert found == [HERE, HERE, None]


@pytest.mark.parametrize("drift", [FRESH_FOR, -FRESH_FOR])
def test_a_minute_either_way_is_fresh_and_a_second_more_is_not(drift: timedelta) -> None:
    beyond = drift + (drift / 60)

    assert (believed(WORD, now=NOW + drift), believed(WORD, now=NOW + beyond)) == (HERE, None)


@pytest.mark.parametrize(
    "target",
    [
        Target(method="PUT", path=GUESTS.path),
        Target(method="POST", path="/apis/auth/lanchonete/guests"),
        Target(method="POST", path="/apis/auth/cantina/challenges"),
        Target(method="POST/apis/auth/cantina", path="/guests"),
    ],
)
def test_a_word_for_one_request_is_none_for_another(target: Target) -> None:
    assert believed(WORD, target=target) is None


def test_a_word_cannot_be_carried_to_another_address_or_instant() -> None:
    instant, address, code = WORD.split(";")
    later = f"{int(instant) + 1};{address};{code}"
    moved = f"{instant}1;{address[1:]};{code}"

    assert believed(f"{instant};198.51.100.9;{code}") is None
    assert (believed(later), believed(moved)) == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ";;",
        HERE,
        f"{HERE};",
        WORD.rpartition(";")[0],
        WORD.rpartition(";")[0] + ";",
        WORD.rpartition(";")[0] + ";" + "0" * 64,
        WORD + ";" + WORD,
        WORD + ", " + WORD,
        WORD[:-1],
        WORD.replace(";", ";;", 1),
        WORD.replace(HERE, ""),
        "-" + WORD,
        "99999999999;" + WORD.partition(";")[2],
        "9" * 400 + ";" + WORD.partition(";")[2],
        "1;" + HERE + ";" + "é" * 64,
        "²" + WORD,
        WORD + "0" * 200,
    ],
)
def test_anything_else_is_no_word_of_ours_and_breaks_nothing(text: str) -> None:
    assert believed(text) is None


def test_nothing_is_believed_without_keys() -> None:
    assert address_in(WORD, target=GUESTS, now=NOW, keys=()) is None


@pytest.mark.parametrize("text", ["", "x" * 64, "00" * 8, f"{'00' * 32},", "00" * 32 + ",é"])
def test_what_is_no_list_of_keys_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(InvalidKeys) as refused:
        keys_in(text)

    assert not text or text not in str(refused.value)


def test_keys_are_read_newest_first() -> None:
    assert keys_in(f"{NEW.hex()}, {KEY.hex()}") == (NEW, KEY)
