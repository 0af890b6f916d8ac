"""For the whole run: no log line may hold a CPF, an e-mail address, a token or a code."""

from tests.log_watch import pytest_configure, pytest_runtest_makereport

__all__ = ["pytest_configure", "pytest_runtest_makereport"]
