"""Scans of ministack's tables that read a page for a page.

ministack sorts and walks the whole table for each megabyte that it answers, so reading a day of
orders costs their square: an audit of thirty thousand orders never ended, and nobody else was
answered meanwhile. Here a page begins where the last one ended. What a scan answers stays.
"""

import inspect
from bisect import bisect_left
from collections.abc import Iterator
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
    all_items = _items_of_scan(table, esk, index_name)
"""


class PartitionOrder:
    """The partitions of each table in order, kept in order as new ones come."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Table, list[str]]] = {}

    def note(self, table: Table, partition: str) -> None:
        """Hear that an item of this partition is about to be put."""
        items = table["items"]
        found = self._known.get(id(items))
        if found is not None and partition not in items:
            found[1].append(partition)

    def after(self, table: Table, partition: str) -> Iterator[str]:
        """Give the partitions from this one on, in order."""
        items = table["items"]
        whose, names = self._known.get(id(items), ({}, []))
        # Partitions that went away are left in until they are as many as those that stayed.
        if whose is not items or len(names) > 2 * len(items):
            names = list(items)
            self._known[id(items)] = (items, names)
        names.sort()  # All but the new ones are in order, and sorting sees that.
        last = None
        for name in islice(names, bisect_left(names, partition), None):
            if name != last and name in items:
                yield name
            last = name


def install(order: PartitionOrder) -> None:
    """Put the shorter way in place; raise `RuntimeError` when ministack has another one by now."""
    source = inspect.getsource(dynamodb._scan)  # noqa: SLF001
    if source.count(_READS_ALL) != 1:
        raise RuntimeError("this ministack reads a table otherwise: look at local.ministack.scans")

    def items_of_scan(table: Table, start: Item | None, index: str | None) -> list[Item]:
        if index:
            return [item for rows in table["items"].values() for item in rows.values()]
        return _page(table, start or {}, order=order)

    vars(dynamodb)["_items_of_scan"] = items_of_scan
    exec(source.replace(_READS_ALL, _READS_A_PAGE), vars(dynamodb))  # noqa: S102  # Its own source.


def _page(table: Table, start: Item, *, order: PartitionOrder) -> list[Item]:
    """Give what is in the partition of `start`, and more than a page of those behind it."""
    first = dynamodb._extract_key_val(start.get(table["pk_name"], {}))  # noqa: SLF001
    found: list[Item] = []
    size = 0
    for partition in order.after(table, first):
        rows = table["items"][partition]
        part = [rows[key] for key in sorted(rows)]
        found += part
        if partition != first:
            size += sum(map(dynamodb._item_size_bytes, part))  # noqa: SLF001
        if size > 2 * dynamodb._DDB_PAGE_SIZE_BYTES:  # noqa: SLF001
            break
    return found
