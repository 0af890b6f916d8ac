"""What the audit keeps of an edit: the fields with both values, and nothing of a person."""

import json

from console.deeds import Deed, facts, in_order
from console.queues.noting import edits

BODY = {
    "id": "e1",
    "data": {"amount": "10.00", "email": "ana@example.com", "lines": [{"notes": "for Ana"}]},
}


def body(**changes: object) -> str:
    return json.dumps({**BODY, "data": {**BODY["data"], **changes}})  # type: ignore[dict-item]


def test_a_field_that_was_edited_is_kept_with_both_values() -> None:
    assert edits(body(), body(amount="12.00")) == {"edited data.amount": '"10.00" → "12.00"'}
    assert edits(body(), body(new=1)) == {"edited data.new": "nothing → 1"}
    assert edits(body(), body()) == {}


def test_of_what_names_a_person_only_that_it_changed_is_kept() -> None:
    found = edits(body(), body(email="bia@example.com", lines=[{"notes": "for Bia"}]))

    assert found == {"edited data.email": "changed", "edited data.lines.0.notes": "changed"}


def test_of_a_body_that_nobody_can_read_nothing_is_shown() -> None:
    found = edits("Ana, 123.456.789-09", body())

    assert "Ana" not in str(found)
    assert found["edited body"] == "changed"


def test_a_large_edit_is_kept_in_part() -> None:
    found = edits("{}", json.dumps({"x" * 500: "y" * 5000, **{f"f{n}": n for n in range(50)}}))

    assert len(found) == 16
    assert found["edited besides"] == "36 fields"
    assert max(len(name) + len(value) for name, value in found.items()) < 800


def a_deed(at: str) -> Deed:
    return Deed(
        at=at, who="a", what="b", whom="c", why="", before={}, after={}, is_done=True, kept_by="x"
    )


def test_acts_of_different_keepers_are_in_order_however_they_write_the_time() -> None:
    times = ["2026-11-20T15:00:00Z", "2026-11-20T12:00:00.5-03:00", "2026-11-20T15:00:01+00:00"]

    found = [it.at for it in in_order(map(a_deed, times), most=2)]

    assert found == [times[2], times[1]]


def test_what_is_empty_is_not_written() -> None:
    side = {"types": [], "shop": None, "letters": 0, "ids": ["a", "b"]}

    assert facts(side) == ["letters: 0", "ids: a, b"]
