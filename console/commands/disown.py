"""`comanda disown`: after a restore, give up the charges of orders that it took back."""

import logging
from typing import Annotated, Any

import boto3
import typer
from botocore.exceptions import BotoCoreError, ClientError

from comanda.clock import utc_now
from comanda.ids import OrderId, ShopId
from comanda.messaging.ports import MessagingUnavailable
from comanda.messaging.sync import SNSPublisher
from console.audit.disowning import disown as cancel
from console.audit.disowning import lost_orders
from console.audit.reading import read_books
from console.commands.asking import (
    FOUND,
    JsonOption,
    PlacesOption,
    ShopOption,
    answer_json,
    asked,
    give_up,
    table,
    told,
)
from console.commands.naming import operator
from console.places import Places

_log = logging.getLogger("comanda.operators")
_LAPTOP = {
    "region_name": "sa-east-1",
    "aws_access_key_id": "laptop",
    "aws_secret_access_key": "laptop",
}


def disown(
    *,
    shop: ShopOption = "",
    days: Annotated[int, typer.Option(help="How far back the provider is searched.")] = 7,
    confirm: Annotated[str, typer.Option("--confirm", help="The count that was shown.")] = "",
    why: Annotated[str, typer.Option("--why", help="Why; goes to the operators' log.")] = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give up the charges of orders that a restore took back; without --confirm only list them.

    Take no orders meanwhile: one that is just being placed looks as if it were gone.

    Example: comanda disown --shop lanchonete-da-ana --confirm 3 --why "restored to 12:00"
    """
    with told():
        ask = asked(places, shop)
        books = read_books(ask.shop, places=ask.places, door=ask.door, days=days)
        lost = lost_orders(books)
        if not confirm:
            _show(lost, as_json=as_json)
            raise typer.Exit(FOUND if lost else 0)
        if confirm != str(len(lost)) or not why:
            give_up(f"nothing was done: --confirm {len(lost)} and --why are needed")
        client, topic = _topic_of_orders(ask.places)
        publisher = SNSPublisher(client, topic_arn=topic)
        cancel(lost, shop=ShopId(ask.shop), publisher=publisher, now=utc_now())
    noted = {"by": operator(), "why": why, "shop": ask.shop, "orders": len(lost)}
    _log.warning("orders disowned", extra=noted)
    _show(lost, as_json=as_json)


def _show(lost: tuple[OrderId, ...], *, as_json: bool) -> None:
    if as_json:
        answer_json([str(it) for it in lost])
    else:
        table("Charges whose orders are gone", ("order",), [(it,) for it in lost])


def _topic_of_orders(places: Places) -> tuple[Any, str]:
    """Give SNS and the topic; on AWS by the environment's own keys, which need `sns:Publish`."""
    session = boto3.session.Session()
    name = f"comanda-{places.stage}-orders-events"
    if places.sqs is not None:
        client = session.client("sns", endpoint_url=places.sqs, **_LAPTOP)
        return client, f"arn:aws:sns:{_LAPTOP['region_name']}:000000000000:{name}"
    try:
        account = session.client("sts").get_caller_identity()["Account"]
        client = session.client("sns")
    except (BotoCoreError, ClientError) as exc:
        raise MessagingUnavailable(f"cannot tell the account: {exc}") from exc
    return client, f"arn:aws:sns:{client.meta.region_name}:{account}:{name}"
