"""When a call is tried again: botocore's "standard" mode, its codes and its quota.

Attempts are counted from 1. The quota keeps a service that is down from being asked four times as
often as one that is up: failures cost capacity, successes give it back.
"""

import random
from dataclasses import dataclass, field

from botocore.retries.quota import RetryQuota

ATTEMPTS = 4
_LONGEST_PAUSE = 5.0
_RETRY_COST, _TIMEOUT_COST, _REFUND = 5, 10, 1

TRANSIENT_STATUS = frozenset({500, 502, 503, 504})
TRANSIENT_CODES = frozenset(
    {"RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete"}
)
THROTTLING_CODES = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottledException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "TransactionInProgressException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "RequestThrottled",
        "SlowDown",
        "EC2ThrottledException",
    }
)
# The server's clock and ours disagree, or a token ran out between two renewals.
CLOCK_CODES = frozenset(
    {"RequestTimeTooSkewed", "InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired"}
)
EXPIRED_CODES = frozenset({"ExpiredToken", "ExpiredTokenException"})


@dataclass(kw_only=True, slots=True)
class Retries:
    """Decide for one client; the quota is shared by all its calls."""

    quota: RetryQuota = field(default_factory=RetryQuota)

    def allows(self, attempt: int, *, is_timeout: bool = False) -> bool:
        """Take capacity for another attempt after `attempt`, unless none is left."""
        cost = _TIMEOUT_COST if is_timeout else _RETRY_COST
        return attempt < ATTEMPTS and bool(self.quota.acquire(cost))

    def succeeded(self, attempt: int) -> None:
        """Give capacity back."""
        self.quota.release(_RETRY_COST if attempt > 1 else _REFUND)


def is_transient(*, status: int, code: str) -> bool:
    """Tell whether the same call may go better soon."""
    return status in TRANSIENT_STATUS or code in TRANSIENT_CODES or code in THROTTLING_CODES


def pause(attempt: int, *, is_throttled: bool, jitter: float | None = None) -> float:
    """Give the seconds to wait after `attempt`: full jitter under a doubling ceiling of 5 s.

    A throttled caller waits longer: it came too often already.
    """
    first = 0.5 if is_throttled else 0.05
    draw = random.random() if jitter is None else jitter  # noqa: S311  # Jitter keeps no secret.
    return min(_LONGEST_PAUSE, first * 2.0 ** (attempt - 1)) * draw
