"""How the console finds a running Comanda."""

import json
import os
from pathlib import Path

import pytest

from console.places import PlacesUnknown, find_places

CONTENT = {
    "edge": "http://127.0.0.1:1",
    "logins": {"shop": {"username": "ana", "password": "very-secret"}},
    "mercadopago": "https://api.example",
    "accounts": {"shop": {"access_token": "very-secret-too", "user_id": "42"}},
}


def test_a_named_file_wins_and_no_secret_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    file.write_text(json.dumps(CONTENT))

    places = find_places(file)

    assert (places.edge, places.logins["shop"].username) == ("http://127.0.0.1:1", "ana")
    assert places.simulator is None
    assert "very-secret" not in repr(places)


def test_the_newest_run_of_the_laptop_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COMANDA_PLACES", raising=False)
    monkeypatch.chdir(tmp_path)
    for age, run in enumerate(("run-2", "run-1")):
        file = tmp_path / ".comanda" / run / "places.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps({**CONTENT, "edge": run}))
        os.utime(file, (1000 - age, 1000 - age))

    assert find_places().edge == "run-2"


def test_without_a_running_comanda_the_refusal_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COMANDA_PLACES", raising=False)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(PlacesUnknown, match="make run"):
        find_places()
