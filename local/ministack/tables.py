"""Keep ministack's DynamoDB through a SIGKILL: journal what each request changed before it answers.

A request arrives, ministack changes its tables in one go (it never yields while it does), the
images of the changed items go to the journal as one record, and only then the answer leaves. So a
transaction is in the journal whole or not at all, in the order of commit.
"""

import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ministack.core import persistence
from ministack.services import dynamodb

from local.ministack import scans
from local.ministack.journal import Journal

Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Answer]]
READING = ("Get", "BatchGet", "TransactGet", "Query", "Scan", "List", "Describe")
ITEM_WRITES = frozenset(
    {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
)
# A snapshot of a day's orders takes seconds, so it is written before anybody is served.
COMPACT_AFTER_BYTES = 64 * 1024 * 1024


class DurableTables:
    """ministack's DynamoDB with a journal behind it."""

    def __init__(self, folder: Path) -> None:
        self._journal = Journal(
            folder,
            encode=persistence._json_default,  # noqa: SLF001  # Its own form of scoped keys.
            decode=persistence._json_object_hook,  # noqa: SLF001
            least=COMPACT_AFTER_BYTES,
        )
        self._changes: list[Any] = []
        # The reaper of expired items works in a thread of its own.
        self._lock = threading.RLock()
        self._put = dynamodb._set_item  # noqa: SLF001  # Every write of an item goes through it,
        self._drop = dynamodb._remove_item  # noqa: SLF001  # and every removal through this.
        self._keep_token = dynamodb._txn_token_store  # noqa: SLF001
        self._answer: Handler = dynamodb.handle_request
        self._order = scans.PartitionOrder()

    def install(self) -> None:
        """Restore what was acknowledged, then listen to all changes."""
        self._restore()
        dynamodb._set_item = self._put_and_note  # noqa: SLF001
        dynamodb._remove_item = self._drop_and_note  # noqa: SLF001
        dynamodb._txn_token_store = self._keep_token_and_note  # noqa: SLF001
        scans.install(self._order)

    async def handle(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: dict[str, Any],
    ) -> Answer:
        """Answer as ministack does, after the journal has what the answer acknowledges."""
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action.startswith(READING):
            return await self._answer(method, path, headers, body, query)
        with self._lock:
            answer = await self._answer(method, path, headers, body, query)
            self._commit(is_item_write=action in ITEM_WRITES, has_succeeded=answer[0] == 200)
        return answer

    def _commit(self, *, is_item_write: bool, has_succeeded: bool) -> None:
        changes, self._changes = self._changes, []
        # Making a table, its indexes or its TTL is rare, and a snapshot holds all of that.
        if has_succeeded and not is_item_write:
            self._journal.compact(self._state())
        elif changes:
            self._journal.append(changes)

    def _state(self) -> dict[str, Any]:
        tokens = dynamodb._txn_idempotency  # noqa: SLF001
        return {"dynamodb": dynamodb.get_state(), "tokens": tokens}

    def _restore(self) -> None:
        state = self._journal.snapshot()
        if state is not None:
            dynamodb.load_persisted_state(state["dynamodb"])
            dynamodb._txn_idempotency.update(state["tokens"])  # noqa: SLF001
        for record in self._journal.records():
            for kind, *details in record:
                self._redo(kind, details)
        if self._journal.is_due:
            self._journal.compact(self._state())

    def _redo(self, kind: str, details: list[Any]) -> None:
        if kind == "token":
            account, region, token, entry = details
            dynamodb._txn_idempotency.set_scoped(account, region, token, entry)  # noqa: SLF001
            return
        scope, partition, sort, *item = details
        table = dynamodb._tables._data[tuple(scope)]  # noqa: SLF001
        if item:
            self._put(table, partition, sort, item[0])
        else:
            self._drop(table, partition, sort)

    def _put_and_note(self, table: dict[str, Any], partition: Any, sort: Any, item: Any) -> Any:
        self._order.note(table, partition)
        old = self._put(table, partition, sort, item)
        self._changes.append(("put", _scope_of(table), partition, sort, item))
        return old

    def _drop_and_note(self, table: dict[str, Any], partition: Any, sort: Any) -> Any:
        old = self._drop(table, partition, sort)
        change = ("drop", _scope_of(table), partition, sort)
        if threading.current_thread().name != "dynamodb-ttl-reaper":
            self._changes.append(change)
            return old
        with self._lock:
            self._journal.append([change])
        return old

    def _keep_token_and_note(self, token: str, entry: dict[str, Any]) -> None:
        self._keep_token(token, entry)
        account, region = dynamodb.get_account_id(), dynamodb.get_region()
        self._changes.append(("token", account, region, token, entry))


def _scope_of(table: dict[str, Any]) -> tuple[str, str, str]:
    scoped: dict[tuple[str, str, str], Any] = dynamodb._tables._data  # noqa: SLF001
    return next(scope for scope, known in scoped.items() if known is table)
