"""Read the rules of faults from JSON and show them; `docs/bus.md` explains the words."""

import re
from typing import Any, TypeVar

from local.bus.faults import KINDS, Fault, Match, Point, Rule, names_receipts

T = TypeVar("T")
_FAULT_WORDS = {"fault", "code", "status", "message", "seconds", "copies", "span", "when"}
_FAULT_WORDS |= {"sender_fault"}
_MATCH_WORDS = {"action", "queue", "id", "body", "attributes"}
_CHOICE_WORDS = {"rate", "seed", "nth", "times", "script"}
# To answer a send without doing it would be a loss that AWS never commits.
_ABOUT_RECEIPTS = ("pretend", "expire_receipt")
_CODE = re.compile(r"[A-Za-z0-9.]*")
_ABOUT_ACTIONS = (Point.REQUEST, Point.ENTRY)
_ABOUT_REQUESTS = (Point.REQUEST, Point.RECEIVE)


class InvalidRule(Exception):
    """The rule has a word or a value that means nothing here."""


def read_rule(told: Any) -> Rule:
    """Make a rule of a JSON object; raise `InvalidRule`."""
    _only(told, _FAULT_WORDS | _MATCH_WORDS | _CHOICE_WORDS)
    steps = _steps(told)
    match = _match(told)
    points = {step.point for step in steps if step is not None}
    if len(points) != 1:
        raise InvalidRule("a script needs faults, all of which strike at the same point")
    _check_together(match, steps, point=points.pop())
    return Rule(
        match=match,
        steps=steps,
        is_script="script" in told,
        rate=_rate(told),
        nth=_several(told, "nth", int),
        times=_value(told, "times", int, None),
        seed=_value(told, "seed", int, 0),
    )


def show_rule(rule: Rule) -> dict[str, Any]:
    """Make a JSON object of a rule with what it has done so far."""
    faults = [step.kind if step else None for step in rule.steps]
    return {
        "number": rule.number,
        "point": rule.point.value,
        "faults": faults if rule.is_script else faults[0],
        "seen": rule.seen,
        "struck": rule.struck,
    }


def _steps(told: dict[str, Any]) -> tuple[Fault | None, ...]:
    if "script" not in told:
        return (_fault(told),)
    if not isinstance(told["script"], list) or "fault" in told:
        raise InvalidRule("script is a list of faults and nulls, instead of fault")
    return tuple(_step(step) for step in told["script"])


def _step(step: Any) -> Fault | None:
    if step is None:
        return None
    if isinstance(step, str):
        return _fault({"fault": step})
    _only(step, _FAULT_WORDS)
    return _fault(step)


def _fault(told: dict[str, Any]) -> Fault:
    kind = told.get("fault")
    if kind not in KINDS:
        raise InvalidRule(f"fault is one of {', '.join(sorted(KINDS))}")
    if told.get("when", "before") not in ("before", "after"):
        raise InvalidRule("when is before or after")
    code, status = _value(told, "code", str, ""), _value(told, "status", int, 0)
    if not _CODE.fullmatch(code) or (status and not 400 <= status <= 599):
        raise InvalidRule("a code has letters, digits and dots; a status is from 400 to 599")
    return Fault(
        kind=kind,
        code=code,
        status=status,
        message=_value(told, "message", str, ""),
        seconds=float(_value(told, "seconds", (int, float), 0)),
        copies=_value(told, "copies", int, 1),
        span=_value(told, "span", int, 50),
        is_after=told.get("when") == "after",
        is_sender_fault=_value(told, "sender_fault", bool, default=False),
    )


def _match(told: dict[str, Any]) -> Match:
    attributes = _value(told, "attributes", dict, {})
    return Match(
        actions=_several(told, "action", str),
        queue=_value(told, "queue", str, ""),
        message_id=_value(told, "id", str, ""),
        body=_value(told, "body", str, ""),
        attributes=tuple(attributes.items()),
    )


def _check_together(match: Match, steps: tuple[Fault | None, ...], *, point: Point) -> None:
    if match.actions and point not in _ABOUT_ACTIONS:
        raise InvalidRule(f"a fault at {point.value} is about queues, not actions")
    if point in _ABOUT_REQUESTS and (match.body or match.attributes or match.message_id):
        raise InvalidRule(f"a fault at {point.value} is about requests, not messages")
    is_about_receipts = any(step is not None and step.kind in _ABOUT_RECEIPTS for step in steps)
    if is_about_receipts and not names_receipts(match):
        raise InvalidRule("that is for deletes and visibility changes, named by action")


def _rate(told: dict[str, Any]) -> float | None:
    rate = _value(told, "rate", (int, float), None)
    if rate is not None and not 0 <= rate <= 1:
        raise InvalidRule("rate is from 0 to 1")
    return None if rate is None else float(rate)


def _several(told: dict[str, Any], name: str, kind: type[T]) -> frozenset[T]:
    value = told.get(name, [])
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(one, kind) for one in values):
        raise InvalidRule(f"{name} has the wrong type")
    return frozenset(values)


def _value(told: dict[str, Any], name: str, kind: Any, default: Any) -> Any:
    value = told.get(name, default)
    is_number = kind is not bool and isinstance(value, bool)
    if value is not default and (not isinstance(value, kind) or is_number):
        raise InvalidRule(f"{name} has the wrong type")
    if isinstance(value, int | float) and value < 0:
        raise InvalidRule(f"{name} is at least 0")
    return value


def _only(told: Any, known: set[str]) -> None:
    if not isinstance(told, dict):
        raise InvalidRule("a rule is an object")
    if unknown := set(told) - known:
        raise InvalidRule(f"unknown: {', '.join(sorted(unknown))}")
