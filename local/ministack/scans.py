"""Scans of ministack's tables that read a page for a page, in the order of hashes as DynamoDB does.

ministack sorts and walks the whole table by name for each megabyte that it answers. So reading a
day of orders costs their square, and one shop's items come all together or not at all: an audit
after an hour of orders never ended. Here a page begins where the last one ended, and partitions
lie as their hashes do. Which items a scan answers stays.
"""

import inspect
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Any

from ministack.services import dynamodb

Table = dict[str, Any]
Item = dict[str, Any]
_READS_ALL = """
    all_items = []
    for pk in sorted(table["items"].keys()):
        for sk in sorted(table["items"][pk].keys()):
            all_items.append(table["items"][pk][sk])
"""
_READS_A_PAGE = """
    all_items = _items_of_scan(table, esk, index_name or segment is not None)
"""
_SKIPS_BY_NAME = """
            all_items = _apply_exclusive_start_key_scan(all_items, esk, table)
"""
_SKIPS_IN_SEGMENTS = """
            if segment is not None:
                all_items = _apply_exclusive_start_key_scan(all_items, esk, table)
"""


@dataclass(kw_only=True, slots=True)
class _Known:
    """The partitions of a table by place and name; `items` are its own, to know it again."""

    items: dict[str, Any]
    places: list[tuple[int, str]]
    is_sorted: bool = False


class PartitionOrder:
    """The partitions of each table in order, kept in order as new ones come."""

    def __init__(self) -> None:
        self._tables: dict[int, _Known] = {}

    def note(self, table: Table, partition: str) -> None:
        """Hear that an item of this partition is about to be put."""
        items = table["items"]
        known = self._tables.get(id(items))
        if known is not None and partition not in items:
            known.places.append(_place(partition))
            known.is_sorted = False

    def since(self, table: Table, partition: str | None) -> Iterator[str]:
        """Give the partitions from this one on, in order; all of them for `None`."""
        items = table["items"]
        known = self._tables.get(id(items))
        # Partitions that went away are left in until they are as many as those that stayed.
        if known is None or known.items is not items or len(known.places) > 2 * len(items):
            known = _Known(items=items, places=[_place(name) for name in items])
            self._tables[id(items)] = known
        if not known.is_sorted:
            known.places.sort()
            known.is_sorted = True
        begin = 0 if partition is None else bisect_left(known.places, _place(partition))
        last = None
        for _, name in islice(known.places, begin, None):
            if name != last and name in items:
                yield name
            last = name


def install(order: PartitionOrder) -> None:
    """Put the shorter way in place; raise `RuntimeError` when ministack has another one by now."""
    source = inspect.getsource(dynamodb._scan)  # noqa: SLF001
    if not source.count(_READS_ALL) == source.count(_SKIPS_BY_NAME) == 1:
        raise RuntimeError("this ministack reads a table otherwise: look at local.ministack.scans")

    def items_of_scan(table: Table, start: Item | None, is_sorted_otherwise: object) -> list[Item]:
        # Indexes have an order of their own, and a segment of a parallel scan is picked from all.
        if is_sorted_otherwise:
            rows = (table["items"][name] for name in sorted(table["items"]))
            return [row[key] for row in rows for key in sorted(row)]
        return _page(table, start, order=order)

    vars(dynamodb)["_items_of_scan"] = items_of_scan
    changed = source.replace(_READS_ALL, _READS_A_PAGE).replace(_SKIPS_BY_NAME, _SKIPS_IN_SEGMENTS)
    exec(changed, vars(dynamodb))  # noqa: S102  # Its own source.


def _page(table: Table, start: Item | None, *, order: PartitionOrder) -> list[Item]:
    """Give what comes behind the key of `start`: more than a page, if there is so much."""
    first, after = _key_of(table, start) if start else (None, "")
    found: list[Item] = []
    size = 0
    for partition in order.since(table, first):
        rows = table["items"][partition]
        part = [rows[key] for key in sorted(rows) if partition != first or key > after]
        found += part
        size += sum(map(dynamodb._item_size_bytes, part))  # noqa: SLF001
        if size > 2 * dynamodb._DDB_PAGE_SIZE_BYTES:  # noqa: SLF001
            break
    return found


def _key_of(table: Table, start: Item) -> tuple[str, str]:
    partition, sort = (
        str(dynamodb._extract_key_val(start.get(table[name] or "", {})))  # noqa: SLF001
        for name in ("pk_name", "sk_name")
    )
    return partition, sort


def _place(partition: str) -> tuple[int, str]:
    return int.from_bytes(blake2b(partition.encode(), digest_size=8).digest()), partition
