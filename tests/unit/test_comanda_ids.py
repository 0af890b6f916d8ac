"""Identifiers: the shop's name and UUIDv7."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comanda.ids import InvalidShopId, ShopId, is_id, new_id

NOW = datetime(2026, 3, 4, 12, 0, 0, 123_000, tzinfo=UTC)


@pytest.mark.parametrize("text", ["abc", "lanchonete-da-ana", "a1b", "a--b", "a" * 32])
def test_a_shop_is_named_by_lower_case_letters_digits_and_hyphens(text: str) -> None:
    shop = ShopId(text)

    assert shop == text
    assert isinstance(shop, str)


@pytest.mark.parametrize(
    "text",
    ["", "ab", "a" * 33, "Ana", "1ab", "-ab", "ab-", "a b", "a/b", "a#b", "aç1", "abc\n", "a٣b"],
)
def test_what_could_break_a_key_or_a_path_is_no_shop(text: str) -> None:
    with pytest.raises(InvalidShopId):
        ShopId(text)


def test_the_fault_does_not_repeat_a_long_text() -> None:
    with pytest.raises(InvalidShopId) as raised:
        ShopId("X" * 10_000)

    assert len(str(raised.value)) < 100


def test_an_id_is_a_uuid_of_version_7_and_the_rfc_variant() -> None:
    uuid = UUID(new_id(NOW))

    assert uuid.version == 7
    assert uuid.variant == "specified in RFC 4122"


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9000, 1, 1)))  # noqa: DTZ001
def test_an_id_begins_with_its_millisecond(at: datetime) -> None:
    aware = at.replace(tzinfo=UTC)
    milliseconds = int(aware.timestamp() * 1000)

    assert UUID(new_id(aware)).int >> 80 == milliseconds


def test_later_ids_sort_after_earlier_ones() -> None:
    ids = [new_id(NOW + timedelta(milliseconds=i)) for i in range(200)]

    assert sorted(ids) == ids


def test_ids_of_one_millisecond_differ() -> None:
    assert len({new_id(NOW) for _ in range(10_000)}) == 10_000


def test_the_zone_of_the_clock_does_not_matter() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-3)))

    assert new_id(NOW)[:13] == new_id(elsewhere)[:13]


@given(st.uuids())
def test_a_canonical_uuid_is_an_id(uuid: UUID) -> None:
    assert is_id(str(uuid))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "0192F0C4-0000-7000-8000-00000000000A",
        "{0192f0c4-0000-7000-8000-00000000000a}",
        "urn:uuid:0192f0c4-0000-7000-8000-00000000000a",
        "0192f0c4000070008000000000000000",
        " 0192f0c4-0000-7000-8000-00000000000a",
    ],
)
def test_other_spellings_are_no_ids(text: str) -> None:
    assert not is_id(text)
