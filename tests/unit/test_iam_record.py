"""The record of a run: each kind once, nothing lost by a kill, nothing denied among the used."""

import json
from pathlib import Path

from local.iam.__main__ import RUNS, USED, write
from local.iam.asked import Question
from local.iam.record import Entry, Record, entry_for, entry_of
from local.iam.rights import rights_of, without
from local.provision.context import REPOSITORY

SEND = Entry(workload="orders-worker", action="sqs:SendMessage", resource="q")


def test_a_kind_is_written_once_and_every_call_is_counted(tmp_path: Path) -> None:
    record = Record(tmp_path / "iam.jsonl")

    for _ in range(3):
        record.add(SEND)

    assert record.as_data() == {"calls": 3, "entries": [SEND.as_data()]}
    assert len((tmp_path / "iam.jsonl").read_text().splitlines()) == 1


def test_a_guard_that_was_killed_goes_on_with_what_it_had_seen(tmp_path: Path) -> None:
    Record(tmp_path / "iam.jsonl").add(SEND)

    assert Record(tmp_path / "iam.jsonl").as_data()["entries"] == [SEND.as_data()]


def test_objects_are_of_one_kind_by_their_folder() -> None:
    asked = Question(action="s3:GetObject", resource="arn:aws:s3:::b/events/2026/11/21/x")

    entry = entry_for("w", asked, keys=(), is_allowed=True)

    assert entry.resource == "arn:aws:s3:::b/events/x"
    assert entry_of(entry.as_data()) == entry


def test_what_was_denied_in_an_experiment_is_not_called_used(tmp_path: Path) -> None:
    refused = Entry(workload="w", action="a:B", resource="r", is_allowed=False)

    assert write(tmp_path / "used.json", {SEND, refused}) == 1
    assert json.loads((tmp_path / "used.json").read_text()) == [SEND.as_data()]


def test_every_module_that_makes_the_record_is_there() -> None:
    files = [word for words in RUNS.values() for word in words if word.endswith(".py")]

    assert files
    assert [it for it in files if not (REPOSITORY / it).is_file()] == []
    assert USED.is_file()


def test_a_right_is_taken_from_its_statement_and_resource_alone() -> None:
    both = {"Sid": "A", "Action": ["s:X", "s:Y"], "Resource": ["one", "two"]}
    policy = {"Statement": [both, {"Sid": "B", "Action": ["s:X"], "Resource": "one"}]}

    poorer = set(rights_of(without(policy, "A", "s:X", "one")))

    assert set(rights_of(policy)) - poorer == {("A", "s:X", "one")}
