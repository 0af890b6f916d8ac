"""What the contexts answer to an office: a charge, a case, a report, a week."""

from uuid import UUID

from tests.console_bed import NOW

CHARGE = str(UUID(int=50))
PRODUCT = str(UUID(int=60))
PAID = {
    "id": CHARGE,
    "order_id": str(UUID(int=1)),
    "status": "PAID",
    "amount": "49.80",
    "charged": "49.80",
    "refunded": "9.80",
    "disputed": "0.00",
    "provider_id": "ORD1",
    "expires_at": NOW.isoformat(),
    "paid_at": NOW.isoformat(),
    "order_cancelled_at": None,
    "created_at": NOW.isoformat(),
    "next_check_at": None,
}
ENTRY = {
    "kind": "charged",
    "amount": "49.80",
    "at": NOW.isoformat(),
    "source": "webhook",
    "resource_id": "",
}
CASE = {
    "id": 7,
    "kind": "second_payment",
    "subject": "ORD2",
    "order_id": str(UUID(int=1)),
    "detail": "49.80 came twice",
    "opened_at": NOW.isoformat(),
}
REPORT = {
    "since": NOW.isoformat(),
    "matched": 41,
    "waiting": 2,
    "refunding": 1,
    "repaired": 1,
    "open": 1,
    "repairs": [
        {
            "charge_id": CHARGE,
            "before": "WAITING",
            "after": "PAID",
            "source": "sweep",
            "at": NOW.isoformat(),
        }
    ],
    "swept_until": {"orders": NOW.isoformat()},
}
TOTALS = {
    "charges": 44,
    "by_status": {"PAID": 41},
    "paid_total": "12345.60",
    "refunded_total": "9.80",
    "disputed_total": "0.00",
    "pending_total": "99.60",
    "open_cases": 1,
}
RULES = {
    "version": 3,
    "hours": [{"weekday": 0, "opens": "11:00", "closes": "23:30"}],
    "switch": "BY_HOURS",
    "most_in_flight": None,
    "day_begins_at": 4,
    "is_open": True,
}
