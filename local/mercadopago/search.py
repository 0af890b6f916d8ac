"""Read the questions of both searches, strictly, and ask the store."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.mercadopago import known_fields
from local.mercadopago.errors import Refused
from local.mercadopago.json_values import read_instant
from local.mercadopago.sales import WORDS, Sale
from local.mercadopago.settings import Switches
from local.mercadopago.store import Store

MOST = 100
_LIMIT = 30
_ORDER_SORTS = {"created_date": "created", "last_updated_date": "updated"}
_PAYMENT_SORTS = {
    "date_created": "created",
    "date_last_updated": "updated",
    "date_approved": "paid",
    "money_release_date": "paid",
    "id": "number",
}
_RELATIVE = re.compile(r"NOW(?:-(\d{1,4})(MINUTES?|HOURS?|DAYS?|MONTHS?|YEARS?))?", re.ASCII)
_UNITS = {"M": timedelta(minutes=1), "H": timedelta(hours=1), "D": timedelta(days=1)}

Condition = tuple[str, tuple[object, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked of the store; `where` and `order` are our own text."""

    where: str
    values: tuple[object, ...]
    order: str
    limit: int
    offset: int

    def paging(self, total: int) -> dict[str, str]:
        """Tell where the page lies, in the Orders API's texts."""
        pages = -(-total // self.limit)
        return {
            "total": str(total),
            "total_pages": str(pages),
            "offset": str(self.offset),
            "limit": str(self.limit),
        }


def orders_question(query: Mapping[str, str], *, shop: str) -> Question:
    """Read a search of orders; both dates are required."""
    unknown = sorted(set(query) - known_fields.ORDER_SEARCH)
    if unknown:
        raise Refused(400, "unsupported_properties", f"unsupported: {', '.join(unknown)[:200]}")
    conditions: list[Condition] = [("shop = ? AND api = 'orders'", (shop,))]
    conditions += _between(query)
    if "external_reference" in query:
        conditions.append(("reference = ?", (query["external_reference"],)))
    if "type" in query:
        conditions.append(("kind = ?", (query["type"],)))
    if query.get("payment_method_id", "pix") != "pix":
        conditions.append(("0", ()))
    conditions += _phases(query, api=0)
    sort, direction = query.get("sort_by", "created_date"), query.get("sort_order", "desc").lower()
    if sort not in _ORDER_SORTS or direction not in ("asc", "desc"):
        raise Refused(400, "property_value", "sort_by: created_date or last_updated_date")
    limit, offset = _order_page(query)
    return _question(conditions, f"{_ORDER_SORTS[sort]} {direction}", limit=limit, offset=offset)


def payments_question(
    query: Mapping[str, str], *, shop: str, now: datetime, switches: Switches
) -> Question:
    """Read a search of payments."""
    unknown = sorted(set(query) - known_fields.PAYMENT_SEARCH)
    if unknown:
        raise Refused(400, 8, f"the name of these parameters is wrong: {', '.join(unknown)[:200]}")
    if switches.strict_search and not {"sort", "criteria"} <= set(query):
        raise Refused(400, 1, "sort and criteria are required")
    sort, direction = query.get("sort", "date_created"), query.get("criteria", "desc").lower()
    if sort not in _PAYMENT_SORTS or direction not in ("asc", "desc"):
        raise Refused(400, 1, f"sort: one of {', '.join(_PAYMENT_SORTS)}; criteria: asc or desc")
    conditions: list[Condition] = [("shop = ?", (shop,))]
    if not switches.search_lists_order_payments:
        conditions.append(("api = 'payments'", ()))
    conditions += _range(query, now=now)
    if "external_reference" in query:
        conditions.append(("reference = ?", (query["external_reference"],)))
    if "id" in query:
        conditions.append(("number = ?", (query["id"],)))
    conditions += _phases(query, api=1)
    limit = _whole(query.get("limit", str(_LIMIT)), 1, MOST)
    offset = _whole(query.get("offset", "0"), 0, 10**9)
    if limit is None or offset is None:
        raise Refused(400, 1, f"limit: 1 to {MOST}; offset: from 0")
    return _question(conditions, f"{_PAYMENT_SORTS[sort]} {direction}", limit=limit, offset=offset)


def ask(store: Store, question: Question, *, is_stale: bool) -> tuple[Sequence[Sale], int]:
    """Give a page, and how many there are in all."""
    found = store.select(
        question.where,
        question.values,
        order=question.order,
        limit=question.limit,
        offset=question.offset,
    )
    total = store.count(question.where, question.values)
    return [before if is_stale else sale for sale, before in found], total


def _between(query: Mapping[str, str]) -> Iterator[Condition]:
    for name, sign in (("begin_date", ">="), ("end_date", "<=")):
        if name not in query:
            raise Refused(400, "required_properties", f"{name} is required")
        at = read_instant(query[name].replace(" ", "+"))
        if at is None:
            raise Refused(400, "property_value", f"{name} is no date")
        yield f"created {sign} ?", (at.timestamp(),)


def _question(conditions: Sequence[Condition], order: str, *, limit: int, offset: int) -> Question:
    return Question(
        where=" AND ".join(text for text, _ in conditions),
        values=tuple(value for _, values in conditions for value in values),
        order=f"{order}, seq",
        limit=limit,
        offset=offset,
    )


def _phases(query: Mapping[str, str], *, api: int) -> list[Condition]:
    wanted = [
        (place, query[n]) for place, n in enumerate(("status", "status_detail")) if n in query
    ]
    if not wanted:
        return []
    phases = tuple(
        phase
        for phase, words in WORDS.items()
        if all(words[api][place] == word for place, word in wanted)
    )
    marks = ", ".join("?" for _ in phases)
    return [(f"phase IN ({marks})", phases)]


def _range(query: Mapping[str, str], *, now: datetime) -> list[Condition]:
    dates = [name for name in ("begin_date", "end_date") if name in query]
    if not dates and "range" not in query:
        return []
    field = query.get("range", "date_created")
    if field not in _PAYMENT_SORTS or field == "id":
        raise Refused(400, 1, "range: a date field such as date_created")
    conditions: list[Condition] = []
    for name in dates:
        at = _relative(query[name], now=now)
        if at is None:
            raise Refused(400, 23, f"{name}: ISO 8601 or NOW-1DAYS")
        sign = ">=" if name == "begin_date" else "<="
        conditions.append((f"{_PAYMENT_SORTS[field]} {sign} ?", (at.timestamp(),)))
    return conditions


def _relative(text: str, *, now: datetime) -> datetime | None:
    found = _RELATIVE.fullmatch(text)
    if found is None:
        return read_instant(text.replace(" ", "+"))
    if found[1] is None:
        return now
    unit = found[2].removesuffix("S")
    days = {"MONTH": timedelta(days=30), "YEAR": timedelta(days=365)}
    return now - int(found[1]) * (days.get(unit) or _UNITS[unit[0]])


def _order_page(query: Mapping[str, str]) -> tuple[int, int]:
    size_name = "page_size" if "page_size" in query else "limit"
    limit = _whole(query.get(size_name, str(_LIMIT)), 1, MOST)
    page = _whole(query.get("page", "1"), 1, 10**7)
    offset = _whole(query.get("offset", "0"), 0, 10**9)
    if limit is None or page is None or offset is None:
        raise Refused(
            400, "property_value", f"{size_name}: 1 to {MOST}; page from 1; offset from 0"
        )
    return limit, offset if "offset" in query else (page - 1) * limit


def _whole(text: str, least: int, most: int) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        return None
    return int(text) if least <= int(text) <= most else None
