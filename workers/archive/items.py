"""How an archived event lies in the table: one row by its subject, one more for each alias.

| row | pk | sk | besides |
|---|---|---|---|
| event | `SHOP#SUBJECT` | `TIME#EVENT` | type, conversation, place, body when small |
| alias | `SHOP#ALIAS` | `TIME#EVENT` | the subject that it leads to |
| note | `SHOP#CUSTOMER` | `OBJECT#KEY` | an object that names the customer, maybe not indexed |

The first two keys follow from the event alone, so writing it twice leaves one row.
"""

from datetime import datetime
from hashlib import sha256

from comanda.codec import write_instant
from comanda.ids import ShopId
from workers.archive.model import Entry, Place

Item = dict[str, dict[str, str]]
Key = tuple[str, str]
# A row of up to 8 KB makes a journey one query; what is larger is read from its object.
LARGEST_BODY = 8 * 1024
_LONGEST_NAME = 1024


def partition(shop_id: ShopId, name: str) -> str:
    """Give the partition of all that is about one id of a shop."""
    # A webhook's resource is whatever a stranger wrote, and a key has an end.
    short = name if len(name.encode()) <= _LONGEST_NAME else sha256(name.encode()).hexdigest()
    return f"{shop_id}#{short}"


def position(entry: Entry) -> str:
    """Give an event's place in time; events of one instant are told apart by id."""
    return f"{write_instant(entry.at)}#{entry.event_id}"


def key_of(entry: Entry) -> Key:
    """Give the key of an event's row."""
    return partition(entry.shop_id, entry.subject), position(entry)


def key_item(key: Key) -> Item:
    """Give a key as DynamoDB takes it."""
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def rows_of(entry: Entry, place: Place, *, expires_at: int) -> list[Item]:
    """Give all rows of an event; `expires_at` in seconds since 1970."""
    lifetime = {"expires_at": {"N": str(expires_at)}}
    row = {**event_row(entry, place), **lifetime}
    sort = position(entry)
    leads = [
        {
            **key_item((partition(entry.shop_id, alias), sort)),
            "subject": {"S": entry.subject},
            **lifetime,
        }
        for alias in entry.aliases
        if alias != entry.subject
    ]
    return [row, *leads]


def event_row(entry: Entry, place: Place) -> Item:
    """Give an event's own row, without its lifetime."""
    row = {
        **key_item(key_of(entry)),
        "type": {"S": entry.wire_type},
        "conversation": {"S": partition(entry.shop_id, entry.conversation)},
        "object": {"S": place.key},
        "line": {"N": str(place.line)},
    }
    if len(entry.body.encode()) <= LARGEST_BODY:
        row["body"] = {"S": entry.body}
    return row


def note_key(shop_id: ShopId, customer_id: str, key: str) -> Key:
    """Give the key of the note that an object names a customer."""
    return partition(shop_id, customer_id), f"OBJECT#{key}"


def note_row(shop_id: ShopId, customer_id: str, key: str, *, expires_at: int) -> Item:
    """Give such a note."""
    return {
        **key_item(note_key(shop_id, customer_id, key)),
        "expected": {"S": key},
        "expires_at": {"N": str(expires_at)},
    }


def place_of(item: Item) -> Place:
    """Read where an event lies."""
    return Place(key=item["object"]["S"], line=int(item["line"]["N"]))


def key_in(item: Item) -> Key:
    """Read the key of a row."""
    return item["pk"]["S"], item["sk"]["S"]


def before(until: datetime | None) -> str:
    """Give the key that all events up to an instant, and none after it, sort below."""
    # Whatever follows an instant in a key begins with "#", and "~" sorts after that.
    return "~" if until is None else f"{write_instant(until)}~"
