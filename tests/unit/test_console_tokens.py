"""Tokens that are kept between commands."""

import json
import stat
import time
from pathlib import Path

from console.tokens import GOOD_FOR, TokenFiles


def test_a_kept_token_is_its_owners_alone_and_nobody_elses(tmp_path: Path) -> None:
    files = TokenFiles(tmp_path / "deep" / "comanda")
    files.put("secret", "http://edge", "ana")

    (file,) = (tmp_path / "deep" / "comanda").iterdir()
    assert files.get("http://edge", "ana") == "secret"
    assert (files.get("http://edge", "bia"), files.get("http://other", "ana")) == (None, None)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_an_old_a_forgotten_and_a_broken_one_are_not_given(tmp_path: Path) -> None:
    files = TokenFiles(tmp_path)
    for content in ("", "[]", "{}", json.dumps({"token": "x", "at": time.time() - GOOD_FOR - 1})):
        files.put("x", "e", "ana")
        (file,) = tmp_path.iterdir()
        file.write_text(content)
        assert files.get("e", "ana") is None

    files.put("x", "e", "ana")
    files.forget("e", "ana")
    files.forget("e", "ana")

    assert files.get("e", "ana") is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    files = TokenFiles(tmp_path / "file" / "comanda")

    files.put("x", "e", "ana")

    assert files.get("e", "ana") is None
