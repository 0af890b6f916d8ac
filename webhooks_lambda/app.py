"""The Chalice app: one route, which translates and leaves the verdict to the receiver."""

import base64
import logging
from collections.abc import Callable
from typing import Any

from chalice import Chalice, Response

from chalicelib import answers, wiring
from chalicelib.notification import HeaderTooLarge, MalformedRequest, TooLarge, is_ipn, parse
from chalicelib.secrets import SecretsUnavailable
from comanda import logs
from comanda.ids import InvalidShopId, ShopId

logs.configure("webhooks_lambda")
log = logging.getLogger("webhooks_lambda")
app = Chalice(app_name="webhooks_lambda", configure_logs=False)
# API Gateway cannot answer 405 of its own accord, so every method comes here to be told.
METHODS = ["POST", "GET", "HEAD", "PUT", "PATCH", "DELETE"]


@app.route("/webhooks/mercadopago/{shop}", methods=METHODS, content_types=["*/*"])
def mercadopago(shop: str) -> Response:
    """Receive a notification of Mercado Pago; only 200 and 201 end its retries."""
    event = app.current_request.to_original_event()
    try:
        shop_id = ShopId(shop)
        if shop_id not in wiring.settings().shops:
            return answers.problem(404, "no shop of this name is served here")
        if event["httpMethod"] != "POST":
            return _not_a_post(event)
        notification = parse(event, _body(event))
        outcome = wiring.receiver().receive(notification, shop_id=shop_id)
    except InvalidShopId:
        return answers.problem(404, "no shop of this name is served here")
    except MalformedRequest as exc:
        log.warning("request malformed", extra={"shop": shop, "reason": str(exc)})
        return answers.problem(400, str(exc))
    except TooLarge:
        return answers.problem(413, "larger than any notification")
    except HeaderTooLarge:
        return answers.problem(431, "a header is larger than any of a notification")
    except SecretsUnavailable:
        log.exception("secrets out of reach")
        return answers.problem(503, "the secrets that verify are out of reach; try again")
    return answers.of(outcome)


@app.middleware("http")
def render_faults(event: Any, get_response: Callable[[Any], Response]) -> Response:
    """Render what Chalice itself answers, unforeseen exceptions included, as a problem document."""
    language = event.headers.get("accept-language", "")
    return answers.rendered(get_response(event), accept_language=language)


def _not_a_post(event: dict[str, Any]) -> Response:
    # The button "test" of the IPN panel sends a GET.
    if event["httpMethod"] == "GET" and is_ipn(event):
        return answers.accepted()
    return answers.problem(405, "notifications are posted", headers={"Allow": "POST"})


def _body(event: dict[str, Any]) -> str:
    body = str(event.get("body") or "")
    if event.get("isBase64Encoded"):
        return base64.b64decode(body).decode(errors="replace")
    return body
