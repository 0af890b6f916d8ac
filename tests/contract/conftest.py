"""Fixtures that several contract suites share."""

from tests.orders_stores import endpoint, side
from tests.payments_stores import counter, dsn

__all__ = ["counter", "dsn", "endpoint", "side"]
