"""Fixtures that several contract suites share."""

from tests.payments_stores import counter, dsn

__all__ = ["counter", "dsn"]
