"""A scan of the laptop's tables gives every item once, page after page, while others write."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_ministack import all_items, make_table, running_ministack

# Thirty of them are more than one page of a megabyte.
BIG = {"S": "x" * 40_000}


@pytest.fixture(scope="module")
def dynamodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with running_ministack(Path(tmp_path_factory.mktemp("scans"))) as ministack:
        client = ministack.client("dynamodb")
        make_table(client)
        yield client


@pytest.fixture
def table(dynamodb: Any) -> Any:
    for item in all_items(dynamodb):
        dynamodb.delete_item(TableName="orders", Key={name: item[name] for name in ("pk", "sk")})
    return dynamodb


def put(client: Any, partition: str, *sorts: str) -> None:
    for sort in sorts:
        key = {"pk": {"S": partition}, "sk": {"S": sort}}
        client.put_item(TableName="orders", Item={**key, "board": {"S": "open"}, "body": BIG})


def page(client: Any, after: Any = None, **more: Any) -> tuple[list[str], Any]:
    start = {"ExclusiveStartKey": after} if after else {}
    answer = client.scan(TableName="orders", **start, **more)
    keys = [f"{item['pk']['S']}/{item['sk']['S']}" for item in answer["Items"]]
    return keys, answer.get("LastEvaluatedKey")


def test_pages_of_a_megabyte_hold_every_item_once(table: Any) -> None:
    for number in range(40):
        put(table, f"p{number:02}", "a", "b")

    pages, after = [], None
    while not pages or after:
        keys, after = page(table, after)
        pages.append(keys)

    seen = [key for keys in pages for key in keys]
    assert [len(keys) for keys in pages] == [26, 26, 26, 2]
    assert sorted(seen) == [f"p{number:02}/{sort}" for number in range(40) for sort in "ab"]
    # Partitions lie as their hashes do, each in the order of its sort keys.
    assert seen != sorted(seen)
    assert [key[:-2] for key in seen[::2]] == [key[:-2] for key in seen[1::2]]


def test_a_page_goes_on_within_a_partition_and_sees_what_came_behind_it(table: Any) -> None:
    put(table, "m", "1", "2", "3")

    first, after = page(table, Limit=2)
    for name in "abcdefgh":
        put(table, name, "1")
    second, end = page(table, after)
    whole, _ = page(table)

    assert first == ["m/1", "m/2"]
    assert end is None
    assert second == whole[whole.index("m/2") + 1 :]
    assert second[0] == "m/3"
    # Some of those that came lie behind it, and some before.
    assert 1 < len(second) < len(whole) - 2


def test_a_partition_that_went_and_came_again_is_seen_once(table: Any) -> None:
    for name in ("a", "b", "c"):
        put(table, name, "1")
    page(table)
    for _ in range(3):
        table.delete_item(TableName="orders", Key={"pk": {"S": "b"}, "sk": {"S": "1"}})
        put(table, "b", "1")

    keys, end = page(table)
    assert (sorted(keys), end) == (["a/1", "b/1", "c/1"], None)


def test_the_item_of_a_cursor_may_be_gone(table: Any) -> None:
    for name in ("a", "b", "c"):
        put(table, name, "1")
    first, after = page(table, Limit=2)
    table.delete_item(TableName="orders", Key=after)

    last, end = page(table, after)
    assert (sorted(first + last), end) == (["a/1", "b/1", "c/1"], None)


def test_segments_of_a_parallel_scan_hold_every_item_once(table: Any) -> None:
    for number in range(30):
        put(table, f"p{number:02}", "a", "b")

    seen = []
    for segment in range(2):
        after = None
        while True:
            keys, after = page(table, after, Segment=segment, TotalSegments=2)
            seen += keys
            if not after:
                break

    assert sorted(seen) == [f"p{number:02}/{sort}" for number in range(30) for sort in "ab"]


def test_a_filter_counts_what_it_looked_at_and_an_index_is_scanned_too(table: Any) -> None:
    for name in ("a", "b", "c"):
        put(table, name, "1")
    answer = table.scan(
        TableName="orders",
        FilterExpression="begins_with(pk, :b)",
        ExpressionAttributeValues={":b": {"S": "b"}},
    )

    assert (answer["Count"], answer["ScannedCount"]) == (1, 3)
    assert table.scan(TableName="orders", IndexName="board")["Count"] == 3
