"""Batches of SQS: ten entries, each with its own outcome inside one answer of 200."""

import re
from collections.abc import Callable
from typing import Any

from local.bus.errors import AwsError

LIMIT = 10
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
Request = dict[str, Any]


def run_batch(entries: Any, do: Callable[[Request], Request]) -> Request:
    """Do each entry; raise for what is wrong with the batch, report what is with an entry."""
    done: list[Request] = []
    failed: list[Request] = []
    for entry in _checked(entries):
        try:
            done.append({"Id": entry["Id"], **do(entry)})
        except AwsError as exc:
            failed.append(
                {
                    "Id": entry["Id"],
                    "Code": exc.code,
                    "Message": exc.message,
                    "SenderFault": exc.is_sender_fault,
                }
            )
    return {"Successful": done, **({"Failed": failed} if failed else {})}


def _checked(entries: Any) -> list[Request]:
    if not isinstance(entries, list) or not entries:
        raise AwsError("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > LIMIT:
        raise AwsError(
            "TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are 10. You have sent {len(entries)}.",
        )
    if not all(isinstance(entry, dict) for entry in entries):
        raise AwsError("SerializationException", "each entry is an object")
    check_ids([entry.get("Id") for entry in entries])
    return entries


def check_ids(ids: list[Any]) -> None:
    """Refuse ids that AWS would refuse, and any that stands twice."""
    for name in ids:
        if not isinstance(name, str) or not _ID.fullmatch(name):
            raise AwsError(
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and"
                " underscores. It can be at most 80 letters long.",
            )
    if len(set(ids)) < len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise AwsError("BatchEntryIdsNotDistinct", f"Id {twice} repeated.")
