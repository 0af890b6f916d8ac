"""Who did what to whom, why, and what it was before and after; kept per shop, never changed."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from comanda.ids import ShopId, new_id

from .table import Change, ConditionFailed, Item, Key, Table


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """One act; `who` and `whom` are usernames of staff or protocol numbers, never customers."""

    who: str
    what: str
    whom: str
    why: str = ""
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


class Audit:
    """Write acts before they are done, mark them when they are, and list them."""

    def __init__(self, table: Table, *, clock: Callable[[], datetime]) -> None:
        self._table = table
        self._clock = clock

    def record(self, shop_id: ShopId, act: Act) -> Key:
        """Write an act that is about to be done: one that fails half-way leaves its trace."""
        now = self._clock()
        key = Key(pk=f"AUDIT#{shop_id}", sk=new_id(now))
        self._table.put(key, _item(act, at=now))
        return key

    def record_once(self, shop_id: ShopId, act: Act, *, act_id: str) -> Key:
        """Write an act that may be begun again under its own id: the first record stands."""
        key = Key(pk=f"AUDIT#{shop_id}", sk=act_id)
        with suppress(ConditionFailed):
            self._table.put(
                key,
                _item(act, at=self._clock()),
                change=Change(condition="attribute_not_exists(pk)"),
            )
        return key

    def finish(self, key: Key) -> None:
        """Mark an act as done; the first time counts."""
        now = self._clock().astimezone(UTC).isoformat()
        first = Change(update="SET done_at = if_not_exists(done_at, :now)", values={":now": now})
        self._table.update(key, first)

    def acts(self, shop_id: ShopId) -> list[dict[str, Any]]:
        """Give the acts of a shop, the newest first."""
        found = self._table.items(f"AUDIT#{shop_id}")
        return [
            {
                "id": key.sk,
                "at": item["acted_at"],
                "done_at": item.get("done_at"),
                "who": item["who"],
                "what": item["what"],
                "whom": item["whom"],
                "why": item["why"],
                "before": json.loads(str(item["was"])),
                "after": json.loads(str(item["became"])),
            }
            for key, item in reversed(found)
        ]


def _item(act: Act, *, at: datetime) -> Item:
    return {
        "acted_at": at.astimezone(UTC).isoformat(),
        "who": act.who,
        "what": act.what,
        "whom": act.whom,
        "why": act.why,
        "was": json.dumps(act.before),
        "became": json.dumps(act.after),
    }
