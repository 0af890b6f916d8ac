"""Faults on demand: rules that strike by rate, by count, by reference, by shop or by operation.

A rule's decisions are drawn from the seed, the rule's id and how often it was asked, so that a run
can be repeated.
"""

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from comanda.money import InvalidMoney, Money
from local.mercadopago.store import Store

OPERATIONS = frozenset({"create", "get", "search", "cancel", "refund", "refunds", "other"})
# Each kind with its default value; a number wants a number, text wants text, nothing wants nothing.
KINDS: dict[str, float | str | None] = {
    "slow": 1.0,
    "slow_before": 1.0,
    "rate_limited": "1",
    "error": 500.0,
    "error_after": 500.0,
    "html": 502.0,
    "truncated": None,
    "drop_before": None,
    "drop_after": None,
    "unauthorized": None,
    "no_pix_key": None,
    "webhook_first": None,
    "webhook_never": None,
    "webhook_late": 60.0,
    "webhook_duplicated": 2.0,
    "webhook_out_of_order": 60.0,
    "webhook_wrong_secret": None,
    "webhook_unsigned": None,
    "webhook_milliseconds": None,
    "webhook_verbatim": None,
    "webhook_no_request_id": None,
    "webhook_ipn": None,
    "webhook_payment_topic": None,
    "stale_read": None,
    "async_creation": 5.0,
    "reject": 10.0,
    "approve": 10.0,
    "wrong_amount": "",
    "wrong_currency": "ARS",
    "wrong_reference": "somebody-elses",
    "wrong_receiver": "1",
    "paid_twice": None,
    "late_settlement": None,
    "refund_contingency": 60.0,
    "refund_async": 60.0,
    "refund_fails": 60.0,
    "dispute": "chargeback",
}
_STATUSES = {"error": (500, 502, 503), "error_after": (500, 502, 503), "html": (200, 500, 502, 503)}
_FIELDS = frozenset({"kind", "rate", "count", "reference", "shop", "operation", "value"})
_MOST_RULES = 200


class InvalidFault(ValueError):
    """The rule cannot be; the message says what to change."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """When a fault strikes; `count` is how often it still may, `asked` how often it could have."""

    id: str
    kind: str
    value: float | str | None
    rate: float = 1.0
    count: int | None = None
    reference: str | None = None
    shop: str | None = None
    operation: str | None = None
    asked: int = 0

    def concerns(self, shop: str, reference: str | None, operation: str | None) -> bool:
        """Tell whether the rule is about this."""
        return (
            self.shop in (None, shop)
            and self.reference in (None, reference)
            and self.operation in (None, operation)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Strike:
    """A fault that strikes now."""

    kind: str
    value: float | str | None

    @property
    def number(self) -> float:
        """Give the value as seconds, a status or copies."""
        return float(self.value or 0)

    @property
    def text(self) -> str:
        """Give the value as text."""
        return str(self.value)


class Faults:
    """The rules that stand, oldest first; of one kind the first that strikes counts."""

    def __init__(self, store: Store, *, seed: str) -> None:
        self._store = store
        self._seed = seed
        self._rules = [Rule(**facts) for facts in store.setting("faults") or ()]
        self._made = int(store.setting("faults_made") or 0)

    def __bool__(self) -> bool:
        return bool(self._rules)

    @property
    def rules(self) -> list[dict[str, Any]]:
        """List the rules."""
        return [asdict(rule) for rule in self._rules]

    def add(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Add a rule; raise `InvalidFault`."""
        if len(self._rules) >= _MOST_RULES:
            raise InvalidFault(f"{_MOST_RULES} rules stand already")
        rule = _rule(wanted, number=self._made + 1)
        self._made += 1
        self._rules.append(rule)
        self._save()
        return asdict(rule)

    def remove(self, rule_id: str | None = None) -> int:
        """Remove one rule or all; tell how many."""
        kept = [r for r in self._rules if rule_id is not None and r.id != rule_id]
        removed = len(self._rules) - len(kept)
        self._rules = kept
        self._save()
        return removed

    def strike(
        self, kind: str, *, shop: str, reference: str | None, operation: str | None = None
    ) -> Strike | None:
        """Draw whether a fault of this kind strikes here and now."""
        for place, rule in enumerate(self._rules):
            if rule.kind == kind and rule.concerns(shop, reference, operation):
                asked = replace(rule, asked=rule.asked + 1)
                self._rules[place] = asked
                if self._draw(asked) < rule.rate:
                    self._use(place)
                    return Strike(kind=kind, value=rule.value)
        return None

    def _draw(self, rule: Rule) -> float:
        return random.Random(f"{self._seed}:{rule.id}:{rule.asked}").random()

    def _use(self, place: int) -> None:
        rule = self._rules[place]
        if rule.count is None:
            return
        if rule.count == 1:
            del self._rules[place]
        else:
            self._rules[place] = replace(rule, count=rule.count - 1)
        self._save()

    def _save(self) -> None:
        self._store.save_setting("faults", [asdict(rule) for rule in self._rules])
        self._store.save_setting("faults_made", self._made)


def _rule(wanted: Mapping[str, Any], *, number: int) -> Rule:
    unknown = sorted(set(wanted) - _FIELDS)
    if unknown:
        raise InvalidFault(f"unknown: {', '.join(unknown)[:200]}")
    kind = wanted.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise InvalidFault(f"kind: one of {', '.join(KINDS)}")
    rate, count = wanted.get("rate", 1), wanted.get("count")
    if not _is_number(rate) or not 0 <= rate <= 1:
        raise InvalidFault("rate: 0 to 1")
    if count is not None and (type(count) is not int or not 1 <= count <= 10**9):
        raise InvalidFault("count: a whole number from 1")
    if wanted.get("operation") not in (None, *OPERATIONS):
        raise InvalidFault(f"operation: one of {', '.join(sorted(OPERATIONS))}")
    for name in ("reference", "shop"):
        if not isinstance(wanted.get(name, ""), str):
            raise InvalidFault(f"{name}: text")
    return Rule(
        id=f"fault-{number}",
        kind=kind,
        value=_value(kind, wanted.get("value", KINDS[kind])),
        rate=float(rate),
        count=count,
        reference=wanted.get("reference"),
        shop=wanted.get("shop"),
        operation=wanted.get("operation"),
    )


def _value(kind: str, value: Any) -> float | str | None:
    default = KINDS[kind]
    if default is None:
        if value is not None:
            raise InvalidFault(f"{kind} takes no value")
        return None
    if isinstance(default, str):
        return _text(kind, value)
    if not _is_number(value) or not 0 <= value <= 10**8:
        raise InvalidFault(f"{kind}: value is a number")
    if kind in _STATUSES and value not in _STATUSES[kind]:
        raise InvalidFault(f"{kind}: value is one of {_STATUSES[kind]}")
    if kind == "webhook_duplicated" and not 2 <= value <= 100:
        raise InvalidFault("webhook_duplicated: 2 to 100 copies")
    return float(value)


def _text(kind: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 100 or not value.isprintable():
        raise InvalidFault(f"{kind}: value is text")
    if kind == "dispute" and value not in ("chargeback", "claim"):
        raise InvalidFault("dispute: chargeback or claim")
    if kind == "wrong_amount" and value:
        try:
            Money.parse(value)
        except InvalidMoney as exc:
            raise InvalidFault("wrong_amount: an amount such as 58.79") from exc
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
