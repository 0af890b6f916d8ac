"""The catalogue of problems is whole, and is told in the language that a client prefers."""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from comanda.problems.catalogue import CATALOGUE, entry_of
from comanda.problems.entry import Entry, Text
from comanda.problems.faults import FAULTS
from comanda.problems.telling import ENGLISH, PORTUGUESE, language_of, told

ROOT = Path(__file__).resolve().parents[2]
# Every folder whose code answers HTTP requests with problems.
SERVICES = ("workers", "auth_lambda/chalicelib", "webhooks_lambda", "local/gateway")
_MAKERS = {"Problem", "_problem", "problem", "unavailable", "_unavailable"}


def _sources() -> Iterator[tuple[Path, ast.Call]]:
    for folder in SERVICES:
        for file in sorted((ROOT / folder).rglob("*.py")):
            if "vendor" not in file.parts:
                calls = [
                    n for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Call)
                ]
                yield from ((file, call) for call in calls if _name(call) in _MAKERS)


def _name(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def _text(node: ast.expr | None) -> str | None:
    """Give a literal, or an f-string with a sample in each place; None for a variable."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(p.value if isinstance(p, ast.Constant) else "7" for p in node.values)
    return None


def _raised() -> list[tuple[str, int, str, str | None]]:
    """List (place, status, title, detail) of each problem whose title is spelled out."""
    found = []
    for file, call in _sources():
        numbers = [a.value for a in call.args if isinstance(a, ast.Constant)]
        statuses = [value for value in numbers if type(value) is int]
        title = next((t for a in call.args if (t := _text(a)) is not None), None)
        if len(statuses) == 1 and title is not None and _name(call) in {"Problem", "_problem"}:
            place = f"{file.relative_to(ROOT)}:{call.lineno}"
            found.append((place, statuses[0], title, _detail(call)))
    return found


def _detail(call: ast.Call) -> str | None:
    named = next((k.value for k in call.keywords if k.arg == "detail"), None)
    third = call.args[-1] if len(call.args) == 4 else None
    return _text(named if named is not None else third)


def _tells(entry: Entry, detail: str) -> bool:
    return any(text.in_portuguese(detail) for text in (entry.detail, *entry.details))


def test_every_problem_that_a_service_raises_stands_in_the_catalogue() -> None:
    raised = _raised()

    missing = [
        f"{place}: {status} {title}"
        for place, status, title, _ in raised
        if entry_of(status, title) is None
    ]

    assert len(raised) > 60
    assert missing == []


def test_every_detail_that_a_service_spells_out_has_its_portuguese() -> None:
    untold = []
    for place, status, title, detail in _raised():
        entry = entry_of(status, title)
        if detail and entry is not None and not _tells(entry, detail):
            untold.append(f"{place}: {detail}")
    for file, call in _sources():
        if _name(call) in {"unavailable", "_unavailable"} and call.args:
            detail = _text(call.args[-1])
            entries = [e for e in CATALOGUE if e.title.en == "Service unavailable"]
            if detail and not any(_tells(entry, detail) for entry in entries):
                untold.append(f"{file.name}: {detail}")

    assert untold == []


def test_every_problem_of_the_webhooks_door_is_known() -> None:
    answers = (ROOT / "webhooks_lambda/chalicelib/answers.py").read_text()
    titles = dict(re.findall(r'^    (\d{3}): "(.+)",$', answers, re.MULTILINE))
    details = {
        (status.value, detail)
        for file, call in _sources()
        if file.is_relative_to(ROOT / "webhooks_lambda")
        and len(call.args) == 2
        and isinstance(status := call.args[0], ast.Constant)
        and (detail := _text(call.args[1])) is not None
    }

    unknown = [title for status, title in titles.items() if entry_of(int(status), title) is None]
    untold = [
        detail
        for status, detail in details
        if not ((entry := entry_of(int(status), titles[str(status)])) and _tells(entry, detail))
    ]

    assert len(titles) >= 9
    assert len(details) >= 5
    assert (unknown, untold) == ([], [])


def test_api_gateways_own_answers_have_the_types_of_the_catalogue() -> None:
    answers = json.loads((ROOT / "gateway.json").read_text())["responses"].values()

    entries = [entry_of(answer["status"], answer["title"]) for answer in answers]

    assert [entry and entry.type for entry in entries] == [answer["type"] for answer in answers]


def test_no_two_problems_share_a_name_or_a_title() -> None:
    slugs = Counter(entry.slug for entry in CATALOGUE)
    titles = Counter((entry.status, entry.title.en) for entry in CATALOGUE)

    assert [it for it, n in (slugs + titles).items() if n > 1] == []
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", entry.slug) for entry in CATALOGUE)


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.slug)
def test_each_entry_has_both_languages_and_the_same_places_in_both(entry: Entry) -> None:
    texts: tuple[Text, ...] = (entry.title, entry.detail, *entry.details)

    assert all(text.en and text.pt and text.en != text.pt for text in texts)
    for text in texts:
        places = re.findall(r"\{\w+\}", text.en)
        assert set(re.findall(r"\{\w+\}", text.pt)) <= set(places)
    assert 400 <= entry.status < 600


@pytest.mark.parametrize("text", FAULTS, ids=lambda text: text.en)
def test_each_fault_of_a_field_can_be_told(text: Text) -> None:
    said = re.sub(r"\{\w+\}", "7", text.en)

    assert "{" not in (text.in_portuguese(said) or "{")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", ENGLISH),
        ("*", ENGLISH),
        ("de", ENGLISH),
        ("pt-BR,pt;q=0.9,en-US;q=0.8,en;q=0.7", PORTUGUESE),
        ("pt", PORTUGUESE),
        ("PT-br", PORTUGUESE),
        ("en, pt", ENGLISH),
        ("pt, en", PORTUGUESE),
        ("en;q=0.3, pt;q=0.4", PORTUGUESE),
        ("pt;q=0", ENGLISH),
        ("*, en;q=0", PORTUGUESE),
        ("pt;q=abc", ENGLISH),
        ("x" * 100_000, ENGLISH),
        ("en," * 50_000 + "pt", ENGLISH),
    ],
)
def test_the_language_is_what_the_client_prefers(header: str, language: str) -> None:
    assert language_of(header) == language


def test_portuguese_keeps_what_was_particular() -> None:
    problem = {
        "type": "about:blank",
        "title": "Not the current version",
        "status": 412,
        "detail": "somebody changed it meanwhile; the version is 17",
    }

    document, language = told(problem, accept_language="pt-BR")

    assert language == "pt-BR"
    assert document == {
        "type": "/problems/version-stale",
        "title": "Esta versão não é a atual",
        "status": 412,
        "detail": "alguém mudou isto enquanto isso; a versão é 17",
    }


def test_a_field_is_a_name_in_every_language_and_its_fault_is_told() -> None:
    errors = [
        {"field": "body.name", "message": "Field required"},
        {"field": "body.x", "message": "something nobody translated"},
    ]
    problem = {"title": "Invalid request", "status": 422, "detail": "see errors", "errors": errors}

    document, _ = told(problem, accept_language="pt")

    assert document["errors"] == [
        {"field": "body.name", "message": "campo obrigatório"},
        {"field": "body.x", "message": "something nobody translated"},
    ]


def test_words_of_nobody_leave_as_they_came() -> None:
    problem = {"type": "about:blank", "title": "Unlucky", "status": 409, "detail": "not 13"}

    assert told(problem, accept_language="pt") == (problem, ENGLISH)
