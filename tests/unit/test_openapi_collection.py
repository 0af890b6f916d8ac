"""The collection for HTTP clients: one request for each operation, ready to be sent."""

import json
import re
from pathlib import Path

import pytest

from local.docs.bruno import render
from local.gateway.whole import whole_document

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^([a-z:-]+) \{\n(.*?)\n\}$", re.MULTILINE | re.DOTALL)
_VARIABLE = re.compile(r"\{\{(\w+)\}\}")


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return render(whole_document())


@pytest.fixture(scope="module")
def requests(files: dict[str, str]) -> dict[str, dict[str, str]]:
    """Give the blocks of each request."""
    return {
        name: dict(_BLOCK.findall(text))
        for name, text in files.items()
        if name.endswith(".bru") and not name.startswith("environments/")
    }


def lines(block: str) -> dict[str, str]:
    pairs = (line.strip().partition(":") for line in block.splitlines())
    return {key: value.strip() for key, _, value in pairs}


def test_each_operation_has_a_request_of_its_own(requests: dict[str, dict[str, str]]) -> None:
    document = whole_document()

    wanted = {
        f"{method} {path}" for path, methods in document["paths"].items() for method in methods
    }
    found = set()
    for blocks in requests.values():
        method = next(
            name for name in blocks if name in {"get", "post", "put", "patch", "delete", "head"}
        )
        address = lines(blocks[method])["url"].removeprefix("{{edge}}")
        found.add(f"{method} {address.replace('{{', '{').replace('}}', '}')}")

    assert found == wanted
    assert len(requests) == len(wanted)


def test_each_variable_is_one_of_the_environment(
    files: dict[str, str], requests: dict[str, dict[str, str]]
) -> None:
    known = set(lines(dict(_BLOCK.findall(files["environments/laptop.bru"]))["vars"]))

    used = {
        name
        for blocks in requests.values()
        for text in blocks.values()
        for name in _VARIABLE.findall(text)
    }

    assert used <= known
    assert "edge" in used


def test_each_json_body_can_be_parsed(requests: dict[str, dict[str, str]]) -> None:
    bodies = [
        json.loads(blocks["body:json"]) for blocks in requests.values() if "body:json" in blocks
    ]

    assert len(bodies) > 30
    assert all(bodies)


def test_what_must_be_sent_is_switched_on(requests: dict[str, dict[str, str]]) -> None:
    order = lines(requests["orders/post-orders.bru"]["headers"])
    charges = lines(requests["payments/get-charges.bru"]["params:query"])

    assert order["Idempotency-Key"] == "{{$guid}}"
    assert "~prefer" in order
    assert charges["order_id"] == "{{order_id}}"


def test_signing_in_keeps_the_token_for_the_other_requests(
    requests: dict[str, dict[str, str]],
) -> None:
    keeping = {name for name, blocks in requests.items() if "script:post-response" in blocks}

    assert keeping == {
        "auth/post-guests.bru",
        "auth/post-staff-tokens.bru",
        "auth/post-tokens-refresh.bru",
        "auth/post-tokens.bru",
    }


def test_the_same_document_makes_the_same_files(files: dict[str, str]) -> None:
    assert render(whole_document()) == files


def test_the_collection_in_docs_is_the_one_of_the_code(files: dict[str, str]) -> None:
    folder = ROOT / "docs" / "collection"

    kept = {str(f.relative_to(folder)): f.read_text() for f in folder.rglob("*") if f.is_file()}

    assert kept == files
