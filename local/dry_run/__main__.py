"""`python -m local.dry_run orders --since … --until …`: judge a window of a running Comanda."""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from comanda.envelope import Envelope, InvalidEnvelope
from console.door import Door, DoorClosed
from console.places import PlacesUnknown, find_places
from local.dry_run.orders import OrdersDryRun
from local.dry_run.verdicts import Verdict

FOUND, OUT_OF_REACH, WRONG = 1, 2, 3
_PAGE = 1000
MOST = 50_000


def fetch(door: Door, shop: str, *, since: str, until: str) -> Iterator[Mapping[str, Any]]:
    """Give the events of a window, the newest first, each once; raise `DoorClosed`."""
    seen: set[str] = set()
    while True:
        query = urlencode({"since": since, "until": until, "limit": _PAGE})
        found = door.read(shop, f"/apis/archive/{shop}/newest-events?{query}")["events"]
        fresh = [it for it in found if it["id"] not in seen]
        yield from fresh
        seen |= {it["id"] for it in fresh}
        if len(found) < _PAGE or not fresh or len(seen) >= MOST:
            return
        # An end is not included, and events of one instant may be torn apart: they come again.
        until = _just_after(fresh[-1]["time"])


def envelopes(events: Iterator[Mapping[str, Any]], shop: str, verdict: Verdict) -> list[Envelope]:
    """Read events; those that this version does not know are counted."""
    found = []
    for it in events:
        try:
            found.append(Envelope.from_json(_text(it, shop)))
        except InvalidEnvelope:
            verdict.skip("this version cannot read it")
    return found


def _text(event: Mapping[str, Any], shop: str) -> str:
    told = {"id": "id", "type": "type", "subject": "subject", "time": "time", "data": "data"}
    body = {name: event[of] for name, of in told.items()}
    body |= {"specversion": "1.0", "shopid": shop, "correlationid": event["correlation_id"]}
    if event["causation_id"] is not None:
        body["causationid"] = event["causation_id"]
    return json.dumps(body)


def _just_after(instant: str) -> str:
    at = datetime.fromisoformat(instant)
    return at.replace(microsecond=min(at.microsecond + 1, 999_999)).isoformat()


def main(words: list[str]) -> int:
    """Parse the command line, judge, and give the exit status: 1 when something differs."""
    parser = argparse.ArgumentParser(prog="python -m local.dry_run", description=__doc__)
    parser.add_argument("context", choices=("orders",), help="whose handlers")
    parser.add_argument("--since", required=True)
    parser.add_argument("--until", required=True)
    parser.add_argument("--shop", default="")
    parser.add_argument("--places", type=Path)
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args(words)
    try:
        places = find_places(chosen.places)
        shop = chosen.shop or min(places.logins, default="")
        if shop not in places.logins:
            print(f"comanda: no login for shop {shop!r}", file=sys.stderr)
            return WRONG
        unread = Verdict()
        told = fetch(
            Door(places.edge, logins=places.logins), shop, since=chosen.since, until=chosen.until
        )
        run = OrdersDryRun(envelopes(told, shop, unread))
    except (PlacesUnknown, DoorClosed) as exc:
        print(f"comanda: {exc}", file=sys.stderr)
        return OUT_OF_REACH
    verdict = asyncio.run(run.run())
    verdict.skipped |= unread.skipped
    _tell(verdict, as_json=chosen.as_json)
    return FOUND if verdict.differences else 0


def _tell(verdict: Verdict, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(verdict.to_json(), indent=2))
        return
    print(f"{verdict.judged} judged, {len(verdict.differences)} differ")
    for why, count in verdict.skipped.items():
        print(f"{count} not judged: {why}")
    for it in verdict.differences:
        print(f"\n{it.type} {it.subject} ({it.event_id})")
        print(f"  then: {'; '.join(it.then) or 'nothing'}")
        print(f"  now:  {'; '.join(it.now) or 'nothing'}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
