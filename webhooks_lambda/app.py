"""The Chalice app: one route, which translates and leaves the verdict to the receiver."""

import base64
import logging

from chalice import Chalice, Response

from chalicelib import wiring
from chalicelib.notification import AmbiguousRequest, TooLarge, parse
from chalicelib.secrets import SecretsUnavailable, UnknownShop
from comanda import logs
from comanda.ids import InvalidShopId, ShopId

logs.configure("webhooks_lambda")
log = logging.getLogger("webhooks_lambda")
app = Chalice(app_name="webhooks_lambda", configure_logs=False)


@app.route("/webhooks/mercadopago/{shop}", methods=["POST"], content_types=["*/*"])
def mercadopago(shop: str) -> Response:
    """Receive a notification of Mercado Pago; only 200 and 201 end its retries."""
    event = app.current_request.to_original_event()
    try:
        shop_id = ShopId(shop)
        if shop_id not in wiring.settings().shops:
            return _answer(404, "no such shop")
        notification = parse(event, _body(event))
        status = wiring.receiver().receive(notification, shop_id=shop_id)
    except (InvalidShopId, UnknownShop):
        return _answer(404, "no such shop")
    except AmbiguousRequest as exc:
        log.warning("request ambiguous", extra={"reason": str(exc)})
        return _answer(400, str(exc))
    except TooLarge:
        return _answer(413, "larger than any notification")
    except SecretsUnavailable:
        log.exception("secrets out of reach")
        return _answer(503, "try again")
    return _answer(status, "")


def _body(event: dict[str, object]) -> str:
    body = str(event.get("body") or "")
    if event.get("isBase64Encoded"):
        return base64.b64decode(body).decode(errors="replace")
    return body


def _answer(status: int, detail: str) -> Response:
    if status == 200:
        return Response("", status_code=200)
    body = {"type": "about:blank", "title": _TITLES[status], "status": status}
    if detail:
        body["detail"] = detail
    headers = {"Content-Type": "application/problem+json"}
    if status == 503:
        headers["Retry-After"] = "5"
    return Response(body, status_code=status, headers=headers)


_TITLES = {
    400: "Ambiguous request",
    401: "Not verified",
    404: "Not found",
    413: "Too large",
    500: "Not configured",
    503: "Service unavailable",
}
