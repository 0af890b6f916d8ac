"""Read every log line of the test run, and fail the test whose line names a person or a secret.

Looked at are the records of this process, extras included, and the JSON lines that other processes
of ours wrote to the captured streams. Looked for are CPFs, e-mail addresses, tokens, and the very
codes and passwords that tests have read from mails.
"""

import logging
import re
from collections.abc import Generator, Iterable
from typing import Any

import pytest

from comanda.cpf import CPF, InvalidCPF
from comanda.logs import JsonFormatter

# Other people's loggers: they repeat requests of tests, and are silent or absent in production.
STRANGERS = ("werkzeug", "moto", "botocore", "urllib3", "asyncio", "faker", "aiohttp", "hypothesis")
_CPF = re.compile(r"(?<![\w.-])\d{3}\.?\d{3}\.?\d{3}-?\d{2}(?![\w.-])")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_JWT = re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}")
_FORMATTER = JsonFormatter()
_secrets: set[str] = set()
_leaks: list[str] = []


def forbid(secret: str) -> str:
    """Remember a code or a password that no line may hold from now on, and give it back."""
    _secrets.add(secret)
    return secret


def leaks_in(line: str, *, secrets: Iterable[str] = ()) -> list[str]:
    """Say what a line holds that no line may hold; the answer names kinds, never the thing."""
    found = []
    if any(_is_cpf(match.group()) for match in _CPF.finditer(line)):
        found.append("a CPF")
    if _EMAIL.search(line):
        found.append("an e-mail address")
    if _JWT.search(line):
        found.append("a token")
    if any(re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", line) for secret in secrets):
        found.append("a code or a password")
    return found


def _watched(original: Any) -> Any:
    def call_handlers(logger: logging.Logger, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] not in STRANGERS:
            ours = _secrets if record.name == "auth_lambda" else ()
            kinds = leaks_in(_FORMATTER.format(record), secrets=ours)
            if kinds:
                _leaks.append(f"{record.name} logged {' and '.join(kinds)}: {record.msg}")
        original(logger, record)

    return call_handlers


def pytest_configure(config: pytest.Config) -> None:
    """Look at every record of every logger, whether or not it propagates."""
    logging.Logger.callHandlers = _watched(logging.Logger.callHandlers)  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a phase whose lines hold what they must not."""
    report = yield
    for _, text in report.sections:
        for line in text.splitlines():
            if line.startswith('{"time"'):
                kinds = leaks_in(line)
                if kinds:
                    _leaks.append(f"a process logged {' and '.join(kinds)}")
    if _leaks:
        report.outcome = "failed"
        report.longrepr = "\n".join(["Log lines hold what no log may hold:", *sorted(set(_leaks))])
    _leaks.clear()
    return report


def _is_cpf(text: str) -> bool:
    try:
        CPF(text)
    except InvalidCPF:
        return False
    return True
