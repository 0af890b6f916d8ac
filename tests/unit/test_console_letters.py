"""What a dead letter says, and what an operator's terminal is spared."""

import json
from dataclasses import replace

import pytest

from comanda.envelope import InvalidEnvelope
from comanda.messaging.dead_letters import DeadLetter
from console.commands.asking import plain
from console.queues.letters import edited_body, grouped, read_letter
from console.queues.runs import Act, Choice
from tests.console_letters import event_body
from tests.redrive_letters import NOW, letter


def dead(body: str, **attributes: str) -> DeadLetter:
    return replace(letter(1, **attributes), body=body)


@pytest.mark.parametrize("body", ["", "nonsense", "[1]", '{"shopid": 7}', "[" * 100_000])
def test_a_letter_that_is_no_event_is_nobodys_and_can_be_read(body: str) -> None:
    found = read_letter(dead(body))

    assert (found.shop, bool(found.fault)) == ("", True)
    assert found.pretty.split() == body.split() or body.startswith(("[1", "{"))
    assert not Choice(shop="cantina").takes(found.letter)
    assert Choice().takes(found.letter)


def test_since_when_is_told_by_its_history_if_that_makes_sense() -> None:
    history = json.dumps({"sent_at": "2026-01-01T00:00:00+00:00"})
    strange = [json.dumps({"sent_at": at}) for at in ("yesterday", "2026-01-01T00:00:00", 7)]

    assert read_letter(dead("{}", history=history)).since.day == 1
    assert {read_letter(dead("{}", history=it)).since for it in [*strange, "[]", "x"]} == {NOW}


def test_letters_are_grouped_by_reason_the_largest_group_first() -> None:
    letters = [read_letter(dead("{}", reason=reason)) for reason in "abb"]

    assert [(group.reason, len(group.letters)) for group in grouped(letters)] == [
        ("b", 2),
        ("a", 1),
    ]


def test_a_reason_is_known_again_however_a_form_broke_its_lines() -> None:
    assert Choice(reason="one\r\ntwo").takes(dead("{}", reason="one\ntwo"))
    assert not Choice(reason="one").takes(dead("{}", reason="one\ntwo"))


@pytest.mark.parametrize(
    ("name", "value"), [("shopid", "other"), ("type", "orders.order.ready.v1"), ("id", "x")]
)
def test_an_edit_keeps_what_the_letter_is(name: str, value: str) -> None:
    changed = json.loads(event_body(1))
    changed[name] = value
    if name == "shopid":
        changed["data"]["shop_id"] = value

    with pytest.raises(InvalidEnvelope, match=name):
        edited_body(dead(event_body(1)), json.dumps(changed))


def test_what_only_looks_otherwise_goes_as_it_was() -> None:
    body = event_body(1)

    assert edited_body(dead(body), json.dumps(json.loads(body), indent=8)) == body
    assert edited_body(dead("no\njson"), "no\r\njson ") == "no\njson"


@pytest.mark.parametrize(("by", "why"), [("", "x"), ("ana", " ")])
def test_nobody_acts_namelessly_or_without_a_reason(by: str, why: str) -> None:
    with pytest.raises(ValueError, match="reason"):
        Act(context="orders", by=by, why=why)


def test_what_others_wrote_neither_steers_a_terminal_nor_is_markup() -> None:
    shown = plain("\x1b[2J\x9b2J \u202e[red]x[/] é\n\r")

    assert not {"\x1b", "\x9b", "\u202e", "\r"} & set(shown)
    assert r"\[red]" in shown
    assert ("é" in shown, "\n" in shown) == (True, True)
