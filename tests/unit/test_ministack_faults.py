"""DynamoDB on the laptop misbehaves on demand, and only then."""

import json

import pytest

from local.ministack.faults import StoreFaults


def test_nothing_is_wrong_until_somebody_asks() -> None:
    faults = StoreFaults()

    assert not faults.are_on
    assert (faults.before(), faults.after()) == (None, None)


@pytest.mark.parametrize(
    ("kind", "status", "name"),
    [("throttle", 400, "ThrottlingException"), ("refuse", 500, "InternalServerError")],
)
def test_a_fault_before_the_work_has_the_shape_of_aws(kind: str, status: int, name: str) -> None:
    faults = StoreFaults()

    assert faults.configure(json.dumps({kind: 1}).encode())[0] == 200

    answer = faults.before()
    assert answer is not None
    assert answer[0] == status
    assert json.loads(answer[1])["__type"].endswith(f"#{name}")
    assert faults.after() is None


def test_a_lost_answer_comes_after_the_work() -> None:
    faults = StoreFaults()
    faults.configure(b'{"lose": 1}')

    assert faults.before() is None
    assert faults.after() is not None


def test_an_empty_wish_ends_all_faults() -> None:
    faults = StoreFaults()
    faults.configure(b'{"throttle": 1}')
    faults.configure(b"{}")

    assert not faults.are_on


@pytest.mark.parametrize("wish", [b"[", b"[]", b'{"rain": 1}', b'{"lose": 2}', b'{"lose": "x"}'])
def test_a_wrong_wish_is_refused_and_changes_nothing(wish: bytes) -> None:
    faults = StoreFaults()

    assert faults.configure(wish)[0] == 400
    assert not faults.are_on


def test_a_conflict_cancels_transactions_alone_and_names_one_item() -> None:
    faults = StoreFaults()
    faults.configure(b'{"conflict": 1}')

    answer = faults.before("TransactWriteItems", b'{"TransactItems": [{}, {}, {}]}')

    assert answer is not None
    told = json.loads(answer[1])
    assert told["__type"].endswith("#TransactionCanceledException")
    codes = sorted(reason["Code"] for reason in told["CancellationReasons"])
    assert codes == ["None", "None", "TransactionConflict"]
    assert faults.before("PutItem", b"{}") is None
