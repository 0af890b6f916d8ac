"""What DynamoDB may do to its callers, on demand: refuse, throttle, or lose an answer."""

import json
import random
from typing import Any

PATH = "/_control/dynamodb"
_KINDS = ("throttle", "conflict", "refuse", "lose")
_TYPE = "com.amazonaws.dynamodb.v20120810#"


class StoreFaults:
    """Rates (0 to 1) of each fault; all are 0 until somebody asks for more.

    `throttle` is `ThrottlingException`, `refuse` is a 500 before, `lose` a 500 after the work;
    `conflict` cancels a transaction, because another one is said to hold one of its items.
    """

    def __init__(self, *, seed: int = 0) -> None:
        self._dice = random.Random(seed)
        self._rates = dict.fromkeys(_KINDS, 0.0)
        self.are_on = False

    def configure(self, body: bytes) -> tuple[int, bytes]:
        """Take `{"throttle": 0.1}`; what is not named is 0. Answer with what is in force."""
        try:
            told = json.loads(body or b"{}")
            rates = {kind: float(told.pop(kind, 0.0)) for kind in _KINDS}
        except (ValueError, TypeError, AttributeError):
            return 400, b'{"message": "rates from 0 to 1 are needed"}'
        if told or not all(0 <= rate <= 1 for rate in rates.values()):
            return 400, json.dumps({"message": f"only {_KINDS}, from 0 to 1"}).encode()
        self._rates = rates
        self.are_on = any(rates.values())
        return 200, json.dumps(rates).encode()

    def before(self, action: str = "", body: bytes = b"") -> tuple[int, bytes] | None:
        """Give the answer instead of doing the work, or `None`."""
        if self._strikes("throttle"):
            return _fault(400, "ThrottlingException")
        if action == "TransactWriteItems" and self._strikes("conflict"):
            return self._conflict(len(json.loads(body)["TransactItems"]))
        return _fault(500, "InternalServerError") if self._strikes("refuse") else None

    def after(self) -> tuple[int, bytes] | None:
        """Give the answer instead of the true one, or `None`."""
        return _fault(500, "InternalServerError") if self._strikes("lose") else None

    def _conflict(self, members: int) -> tuple[int, bytes]:
        reasons = [{"Code": "None"} for _ in range(members)]
        reasons[self._dice.randrange(members)] = {"Code": "TransactionConflict"}
        return _fault(400, "TransactionCanceledException", CancellationReasons=reasons)

    def _strikes(self, kind: str) -> bool:
        return self._dice.random() < self._rates[kind]


def _fault(status: int, name: str, **more: Any) -> tuple[int, bytes]:
    body: dict[str, Any] = {"__type": _TYPE + name, "message": "asked for", **more}
    return status, json.dumps(body).encode()
