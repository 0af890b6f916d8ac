"""The Chalice app: each route and each Cognito trigger names what does its work, and no more."""

from collections.abc import Callable
from typing import Any

from chalice import Chalice, Response

from chalicelib import problems, routes, triggers, wiring
from comanda import logs

logs.configure("auth_lambda")
app = Chalice(app_name="auth_lambda", configure_logs=False)
# The routes check the media type themselves, so that a refusal is a problem document, too.
ANY = ["*/*"]


@app.middleware("http")
def render_faults(event: Any, get_response: Callable[[Any], Response]) -> Response:
    """Render what Chalice itself answers, unforeseen exceptions included, as a problem document."""
    return problems.rendered(get_response(event))


@app.route("/apis/auth/{shop}/guests", methods=["POST"], content_types=ANY)
def guests(shop: str) -> Response:
    """Give a guest token."""
    return routes.respond("guests", lambda: routes.create_guest(app.current_request, shop))


@app.route("/apis/auth/{shop}/customers", methods=["POST"], content_types=ANY)
def customers(shop: str) -> Response:
    """Sign a customer up."""
    return routes.respond("customers", lambda: routes.create_customer(app.current_request, shop))


@app.route("/apis/auth/{shop}/challenges", methods=["POST"], content_types=ANY)
def challenges(shop: str) -> Response:
    """Begin a customer's sign-in."""
    return routes.respond("challenges", lambda: routes.create_challenge(app.current_request, shop))


@app.route("/apis/auth/{shop}/tokens", methods=["POST"], content_types=ANY)
def tokens(shop: str) -> Response:
    """Finish a customer's sign-in."""
    return routes.respond("tokens", lambda: routes.create_tokens(app.current_request, shop))


@app.route("/apis/auth/{shop}/staff/tokens", methods=["POST"], content_types=ANY)
def staff_tokens(shop: str) -> Response:
    """Sign staff in."""
    return routes.respond(
        "staff_tokens", lambda: routes.create_staff_tokens(app.current_request, shop)
    )


@app.route("/apis/auth/jwks.json", methods=["GET"])
def keys() -> Response:
    """Publish the keys of guests' tokens."""
    return routes.respond("keys", routes.show_keys)


@app.lambda_function(name="define_auth_challenge")
def define_auth_challenge(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Tell Cognito what comes next in a sign-in."""
    return triggers.define_challenge(event)


@app.lambda_function(name="create_auth_challenge")
def create_auth_challenge(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Send a code."""
    return triggers.create_challenge(event, codes=wiring.codes, mailer=wiring.mailer)


@app.lambda_function(name="verify_auth_challenge")
def verify_auth_challenge(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Check a code."""
    return triggers.verify_answer(event, codes=wiring.codes)


@app.lambda_function(name="pre_token_generation")
def pre_token_generation(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Add the shop to an access token."""
    return triggers.add_shop_claim(event)
