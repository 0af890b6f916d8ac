"""The journal behind ministack's tables, without ministack."""

from pathlib import Path
from typing import Any

from local.ministack.journal import Journal


def open_journal(folder: Path, *, least: int = 1000) -> Journal:
    def encode(value: Any) -> Any:
        raise TypeError(value)

    return Journal(folder, encode=encode, decode=dict, least=least)


def test_records_come_back_in_order_after_the_snapshot(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.append("lost to the snapshot")
    journal.compact({"tables": 1})
    journal.append("first")
    journal.append("second")

    again = open_journal(tmp_path)

    assert again.snapshot() == {"tables": 1}
    assert list(again.records()) == ["first", "second"]


def test_a_line_cut_short_is_dropped_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    open_journal(tmp_path).append("whole")
    file = tmp_path / "journal-0.jsonl"
    file.write_bytes(file.read_bytes() + b'"cut sh')

    again = open_journal(tmp_path)
    before = list(again.records())
    again.append("next")

    assert before == ["whole"]
    assert list(open_journal(tmp_path).records()) == ["whole", "next"]


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "new")

    assert journal.snapshot() is None
    assert list(journal.records()) == []


def test_compacting_is_due_when_the_log_has_outgrown_the_snapshot(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, least=20)
    journal.append("x" * 10)
    early = journal.is_due
    journal.append("x" * 20)
    late = journal.is_due
    journal.compact({})

    assert (early, late, journal.is_due) == (False, True, False)


def test_a_kill_while_compacting_leaves_the_old_generation(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.compact({"n": 1})
    journal.append("kept")
    (tmp_path / "state.half").write_text('{"n":')

    again = open_journal(tmp_path)

    assert again.snapshot() == {"n": 1}
    assert list(again.records()) == ["kept"]
