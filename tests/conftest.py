"""For the whole run: no log line may hold a CPF, an e-mail address, a token or a code."""

import shutil

import pytest

from tests.log_watch import pytest_configure, pytest_runtest_makereport

__all__ = ["pytest_configure", "pytest_runtest_makereport", "pytest_terminal_summary"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end of every run when no browser drove the screens."""
    if shutil.which("chromium") is None:
        terminalreporter.section("NOT RUN: tests/e2e/test_screens_*", sep="!")
        terminalreporter.line(
            "There is no chromium on the path; `apt-get install chromium` has it."
        )
