"""The order's own rules: transitions as data, refusals by name, lines and waiting time."""

from datetime import timedelta
from typing import Any

import pytest

from comanda.events import Line
from comanda.ids import ChargeId, OrderId, ProductId
from comanda.money import Money
from tests.orders_builders import CHARGE, GUEST, NOW, SHOP, approved, charged
from workers.orders.lines import (
    InvalidLines,
    Menu,
    MenuItem,
    MenuMissing,
    NotOnMenu,
    Wanted,
    merged,
    priced,
    total_of,
)
from workers.orders.model import (
    REFUSALS_KEPT,
    STEPS,
    TRANSITIONS,
    AmountMismatch,
    IllegalTransition,
    Order,
    OrderStatus,
    Refusal,
    SecondCharge,
    SecondPayment,
    Step,
)
from workers.orders.shop_rules import ShopRules

S = OrderStatus
LATER = NOW + timedelta(minutes=7)


def order(status: OrderStatus = S.PENDING_PAYMENT, **fields: Any) -> Order:
    line = Line(product_id=ProductId("p"), name="P", quantity=2, unit_price=Money.parse("12.50"))
    return Order(
        id=OrderId("o"),
        shop_id=SHOP,
        owner=GUEST,
        customer_id=None,
        day=NOW.date(),
        call_number=1,
        lines=(line,),
        total=Money.parse("25.00"),
        placed_at=NOW,
        status=status,
        **fields,
    )


def test_the_transitions_are_those_of_the_design() -> None:
    assert {
        S.PENDING_PAYMENT: {S.RECEIVED, S.PAYMENT_FAILED, S.CANCELLED},
        S.RECEIVED: {S.IN_PREPARATION, S.CANCELLED},
        S.IN_PREPARATION: {S.READY, S.RECEIVED, S.CANCELLED},
        S.READY: {S.COMPLETED, S.IN_PREPARATION, S.CANCELLED},
        S.COMPLETED: {S.READY},
        S.PAYMENT_FAILED: set(),
        S.CANCELLED: set(),
    } == TRANSITIONS


@pytest.mark.parametrize("step", [Step.START, Step.MAKE_READY, Step.COMPLETE])
@pytest.mark.parametrize("status", list(OrderStatus))
def test_a_step_is_taken_only_where_it_begins(status: OrderStatus, step: Step) -> None:
    if status in STEPS[step].sources:
        moved = order(status).advance(step, at=LATER)

        assert (moved.status, moved.history[-1].at) == (STEPS[step].target, LATER)
        return
    with pytest.raises(IllegalTransition) as refusal:
        order(status).advance(step, at=LATER)

    assert (refusal.value.step, refusal.value.status) == (step, status)


def test_an_approval_of_another_amount_is_an_amount_mismatch() -> None:
    with pytest.raises(AmountMismatch):
        order().approve(approved(order(), amount=Money.parse("24.99")), at=LATER)


def test_a_second_payment_by_another_charge_is_refused_by_name() -> None:
    paid = order().approve(approved(order()), at=LATER)

    assert paid.approve(approved(order()), at=LATER) is paid
    with pytest.raises(SecondPayment):
        paid.approve(approved(order(), charge_id=ChargeId("charge-2")), at=LATER)


def test_a_second_charge_is_refused_by_name() -> None:
    waiting = order().attach(charged(order()))

    assert waiting.attach(charged(order())) is waiting
    with pytest.raises(SecondCharge):
        waiting.attach(charged(order(), charge_id=ChargeId("charge-2")))
    with pytest.raises(AmountMismatch):
        order().attach(charged(order(), amount=Money.parse("1.00")))


def test_the_code_of_a_dead_order_is_not_shown() -> None:
    waiting = order().attach(charged(order()))

    dead = waiting.fail_payment("expired", at=LATER)

    assert waiting.payable_pix is not None
    assert (dead.payable_pix, dead.is_awaited) == (None, False)


def test_a_full_refund_cancels_what_nobody_cooks_yet_and_a_part_does_not() -> None:
    paid = order().approve(approved(order()), at=LATER)

    half = paid.refund(Money.parse("12.50"), at=LATER)
    whole = half.refund(Money.parse("12.50"), at=LATER)
    cooking = paid.advance(Step.START, at=LATER).refund(Money.parse("25.00"), at=LATER)

    assert (half.status, whole.status, whole.reason) == (S.RECEIVED, S.CANCELLED, "refunded")
    assert (cooking.status, cooking.refunded) == (S.IN_PREPARATION, Money.parse("25.00"))
    assert paid.paid_by == CHARGE


def test_waiting_ends_when_the_order_is_ready() -> None:
    ready = order(S.IN_PREPARATION).advance(Step.MAKE_READY, at=LATER)

    much_later = NOW + timedelta(hours=5)

    assert ready.waiting(now=much_later) == timedelta(minutes=7)
    assert order().waiting(now=LATER) == timedelta(minutes=7)
    assert order().waiting(now=NOW - timedelta(seconds=1)) == timedelta()


def test_a_storm_of_refusals_does_not_fill_the_item() -> None:
    stormy = order()
    for number in range(REFUSALS_KEPT + 5):
        refusal = Refusal(
            event_id=f"e{number}",
            event_type="t",
            name="n",
            detail="d",
            status=S.PENDING_PAYMENT,
            at=NOW,
        )
        stormy = stormy.record(refusal)

    assert len(stormy.refusals) == REFUSALS_KEPT
    assert stormy.refusals[-1].event_id == f"e{REFUSALS_KEPT + 4}"


def wanted(quantity: Any, product: str = "p") -> Wanted:
    return Wanted(product_id=ProductId(product), quantity=quantity)


@pytest.mark.parametrize("quantity", [0, -1, 100, 10**9, "3", 1.0, True, None])
def test_a_negative_or_zero_or_senseless_quantity_is_refused(quantity: object) -> None:
    with pytest.raises(InvalidLines) as refusal:
        merged([wanted(quantity)])

    assert refusal.value.concerns(wanted(1))


def test_lines_of_the_same_product_are_merged_and_then_limited() -> None:
    assert merged([wanted(1), wanted(2, "q"), wanted(3)]) == (wanted(4), wanted(2, "q"))
    with pytest.raises(InvalidLines):
        merged([wanted(50), wanted(50)])


def test_an_order_has_one_to_fifty_lines() -> None:
    assert len(merged([wanted(1, f"p{i}") for i in range(50)])) == 50
    with pytest.raises(InvalidLines):
        merged([])
    with pytest.raises(InvalidLines):
        merged([wanted(1, f"p{i}") for i in range(51)])


def item(product: str = "p", **fields: Any) -> MenuItem:
    values = {"price": Money.parse("3.00"), "is_available": True} | fields
    return MenuItem(
        product_id=ProductId(product), shop_id=SHOP, version=1, name="P", category="MEAL", **values
    )


def on_menu(items: dict[ProductId, MenuItem]) -> Menu:
    return Menu(rules=ShopRules(shop_id=SHOP), items=items)


def test_prices_come_from_the_menu() -> None:
    lines = priced([wanted(2)], menu=on_menu({ProductId("p"): item()}))

    assert (lines[0].unit_price, total_of(lines)) == (Money.parse("3.00"), Money.parse("6.00"))


@pytest.mark.parametrize("state", [{"is_available": False}, {"is_removed": True}])
def test_what_is_not_to_be_had_is_named(state: dict[str, bool]) -> None:
    menu = on_menu({ProductId("p"): item(**state), ProductId("ok"): item("ok")})

    with pytest.raises(NotOnMenu) as refusal:
        priced([wanted(1), wanted(1, "ok"), wanted(1, "nowhere")], menu=menu)

    assert refusal.value.product_ids == ("p", "nowhere")


def test_without_any_menu_nothing_can_be_said() -> None:
    with pytest.raises(MenuMissing):
        priced([wanted(1)], menu=on_menu({}))


def test_a_total_beyond_all_money_is_refused() -> None:
    menu = on_menu({ProductId("p"): item(price=Money.parse("9999999999.99"))})

    with pytest.raises(InvalidLines):
        total_of(priced([wanted(2)], menu=menu))
