"""Verify a signature, beside the official SDK's validator: `python -m benchmarks.edge.signature`.

Each input is verified by both in turn; the least time of all rounds counts. Then both are shown
what is hostile, for speed alone would be an unfair comparison: ours does more.
"""

import sys
import time
import timeit
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from hmac import new

from mercadopago.webhook import WebhookSignatureValidator

from benchmarks.findings import Finding, tell
from comanda.mercadopago.signature import Signed, Unverified, sign, verify

SECRET = "local-sim-secret-0123456789abcdef"  # noqa: S105  # It opens nothing.
REQUEST_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
PAYMENT, ORDER = "123456789012", "ORD01JQ4S4KY8HWQ6NA5PXB65B3D3"
ROUNDS, CALLS = 20, 2_000
BUDGET_MICROSECONDS = 40.0


def ours(header: str, request_id: str | None, data_id: str, secret: str = SECRET) -> None:
    """Verify by our rules; raise `Unverified`."""
    signed = Signed(signature=header, request_id=request_id, data_id=data_id)
    verify(signed, secrets=(secret,), now=datetime.now(UTC))


def official(header: str, request_id: str | None, data_id: str, secret: str = SECRET) -> None:
    """Verify by the SDK's; whatever it raises is its refusal."""
    WebhookSignatureValidator.validate(header, request_id, data_id, secret)


def least(call: Callable[[], object]) -> float:
    """Give the microseconds of one call in the least disturbed round."""
    return min(timeit.repeat(call, number=CALLS, repeat=ROUNDS)) / CALLS * 1e6


def judged(check: Callable[..., None], *arguments: str | None) -> str:
    """Say what a validator makes of an input."""
    try:
        check(*arguments)
    except Unverified as exc:
        return f"refused: {exc.reason}"
    except Exception as exc:  # noqa: BLE001  # Its refusals and its crashes are told apart by name.
        return f"{type(exc).__name__}"
    return "accepted"


def hostile() -> dict[str, tuple[str | None, ...]]:
    """Give inputs on which the two differ."""
    ts = str(int(time.time()))
    good = sign(secret=SECRET, data_id=PAYMENT, request_id=REQUEST_ID, ts=ts)
    smuggled = f"{PAYMENT};request-id:{REQUEST_ID}"
    upper = new(SECRET.encode(), f"id:{ORDER.lower()};ts:{ts};".encode(), sha256).hexdigest()
    return {
        "not ASCII": (f"ts={ts},v1={'é' * 64}", REQUEST_ID, PAYMENT),
        "an empty secret": (
            sign(secret="", data_id=PAYMENT, request_id=REQUEST_ID, ts=ts),
            REQUEST_ID,
            PAYMENT,
            "",
        ),
        "manifest injection": (good, None, smuggled),
        "v1 twice": (good.replace("v1=", f"v1={'0' * 64},v1="), REQUEST_ID, PAYMENT),
        "an order's id, signed lower-cased": (f"ts={ts},v1={upper}", None, ORDER),
    }


def main() -> int:
    """Measure, print, and return 1 when ours is over its budget."""
    ts = str(int(time.time()))
    slowest = 0.0
    lines = []
    print(f"{'microseconds a call':<34}{'ours':>8}{'official':>10}")
    for name, data_id in (("a payment", PAYMENT), ("an order", ORDER)):
        header = sign(secret=SECRET, data_id=data_id, request_id=REQUEST_ID, ts=ts)
        mine = least(lambda h=header, d=data_id: ours(h, REQUEST_ID, d))  # type: ignore[misc]
        # The SDK takes an order's id as it is, and only so does it verify at all.
        lowered = data_id.lower()
        theirs = least(lambda h=header, d=lowered: official(h, REQUEST_ID, d))  # type: ignore[misc]
        print(f"{name:<34}{mine:>8.1f}{theirs:>10.1f}")
        slowest = max(slowest, mine)
        this, other = ("comanda", mine), ("official SDK", theirs)
        lines.append(Finding(what=f"{name}'s signature: time", this=this, other=other, unit="us"))
    tell(lines)
    for name, arguments in hostile().items():
        print(f"{name:<34}  {judged(ours, *arguments)} / {judged(official, *arguments)}")
    return 1 if slowest > BUDGET_MICROSECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
