"""Where an order may stand and which steps lead on from there, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class OrderStatus(StrEnum):
    """Where an order stands."""

    PENDING_PAYMENT = "PENDING_PAYMENT"
    RECEIVED = "RECEIVED"
    IN_PREPARATION = "IN_PREPARATION"
    READY = "READY"
    COMPLETED = "COMPLETED"
    PAYMENT_FAILED = "PAYMENT_FAILED"
    CANCELLED = "CANCELLED"


class Step(StrEnum):
    """What may be asked of an order."""

    APPROVE = "approve"
    FAIL_PAYMENT = "fail_payment"
    REJECT_STOCK = "reject_stock"
    TAKE_BACK = "take_back"
    CANCEL = "cancel"
    CALL_OFF = "call_off"
    START = "start"
    MAKE_READY = "make_ready"
    COMPLETE = "complete"
    UNDO_START = "undo_start"
    RECALL = "recall"
    UNDO_COMPLETE = "undo_complete"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """From which statuses a step may be taken, and where it leads."""

    sources: frozenset[OrderStatus]
    target: OrderStatus


_S = OrderStatus
# A rejection of stock that comes after the payment contradicts it, so it may not cancel a paid
# order, while money that went back may. A customer cancels until somebody cooks (`CANCEL`), staff
# until the order is handed over (`CALL_OFF`). Only staff take a step back, each by its own name.
STEPS: Mapping[Step, Rule] = {
    Step.APPROVE: Rule(sources=frozenset({_S.PENDING_PAYMENT}), target=_S.RECEIVED),
    Step.FAIL_PAYMENT: Rule(sources=frozenset({_S.PENDING_PAYMENT}), target=_S.PAYMENT_FAILED),
    Step.REJECT_STOCK: Rule(sources=frozenset({_S.PENDING_PAYMENT}), target=_S.CANCELLED),
    Step.TAKE_BACK: Rule(sources=frozenset({_S.PENDING_PAYMENT, _S.RECEIVED}), target=_S.CANCELLED),
    Step.CANCEL: Rule(sources=frozenset({_S.PENDING_PAYMENT, _S.RECEIVED}), target=_S.CANCELLED),
    Step.CALL_OFF: Rule(
        sources=frozenset({_S.PENDING_PAYMENT, _S.RECEIVED, _S.IN_PREPARATION, _S.READY}),
        target=_S.CANCELLED,
    ),
    Step.START: Rule(sources=frozenset({_S.RECEIVED}), target=_S.IN_PREPARATION),
    Step.MAKE_READY: Rule(sources=frozenset({_S.IN_PREPARATION}), target=_S.READY),
    Step.COMPLETE: Rule(sources=frozenset({_S.READY}), target=_S.COMPLETED),
    Step.UNDO_START: Rule(sources=frozenset({_S.IN_PREPARATION}), target=_S.RECEIVED),
    Step.RECALL: Rule(sources=frozenset({_S.READY}), target=_S.IN_PREPARATION),
    Step.UNDO_COMPLETE: Rule(sources=frozenset({_S.COMPLETED}), target=_S.READY),
}
STEPS_BACK = frozenset({Step.UNDO_START, Step.RECALL, Step.UNDO_COMPLETE})
TRANSITIONS: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    status: frozenset(rule.target for rule in STEPS.values() if status in rule.sources)
    for status in OrderStatus
}
# What facts do to an order; nothing that is heard from elsewhere leads back.
FORWARD: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    status: frozenset(
        rule.target
        for step, rule in STEPS.items()
        if status in rule.sources and step not in STEPS_BACK
    )
    for status in OrderStatus
}
# What the kitchen sees, in this order; nothing else is ever on the board.
BOARD = (OrderStatus.READY, OrderStatus.IN_PREPARATION, OrderStatus.RECEIVED)
PAID = frozenset({_S.RECEIVED, _S.IN_PREPARATION, _S.READY, _S.COMPLETED})
WAITING = frozenset({_S.PENDING_PAYMENT, _S.RECEIVED, _S.IN_PREPARATION})
DEAD = frozenset({_S.CANCELLED, _S.PAYMENT_FAILED})
