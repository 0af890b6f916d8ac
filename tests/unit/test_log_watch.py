"""The watch over log lines sees what it must see, and does not cry for nothing."""

import pytest

from tests.log_watch import leaks_in


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ('{"event": "x", "who": "123.456.789-09"}', ["a CPF"]),
        ('{"event": "12345678909 came"}', ["a CPF"]),
        ('{"to": "maria@exemplo.com.br"}', ["an e-mail address"]),
        ('{"h": "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"}', ["a token"]),
        ('{"event": "code 004213 sent"}', ["a code or a password"]),
    ],
)
def test_what_no_line_may_hold_is_seen(line: str, kinds: list[str]) -> None:
    assert leaks_in(line, secrets=["004213"]) == kinds


@pytest.mark.parametrize(
    "line",
    [
        '{"time": "2026-11-21T08:49:38.848+00:00", "event": "paid", "status": 202}',
        '{"order_id": "01a1fd4b-fc90-7b0d-9d7f-d2d370bb0a04", "amount": "123456.78"}',
        '{"payment": "123456789012", "at": 1766455693, "ms": 1766455693123}',
        '{"n": "12345678900", "x": "10042130"}',
    ],
)
def test_ids_instants_and_amounts_are_none_of_that(line: str) -> None:
    assert leaks_in(line, secrets=["004213"]) == []
