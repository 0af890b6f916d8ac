"""The Chalice app: each route and each function names what does its work, and no more."""

from collections.abc import Callable
from typing import Any

from chalice import Chalice, Response

from chalicelib import problems, routes, triggers, wiring
from comanda import logs

logs.configure("auth_lambda")
app = Chalice(app_name="auth_lambda", configure_logs=False)
# The routes check the media type themselves, so that a refusal is a problem document, too.
ANY = ["*/*"]
SHOP = "/apis/auth/{shop}"


@app.middleware("http")
def render_faults(event: Any, get_response: Callable[[Any], Response]) -> Response:
    """Render what Chalice itself answers, unforeseen exceptions included, as a problem document."""
    language = event.headers.get("accept-language", "")
    return problems.rendered(get_response(event), accept_language=language)


@app.route(f"{SHOP}/guests", methods=["POST"], content_types=ANY)
def guests(shop: str) -> Response:
    """Give a guest token."""
    return _respond("customer_routes", "create_guest", shop)


@app.route(f"{SHOP}/customers", methods=["POST"], content_types=ANY)
def customers(shop: str) -> Response:
    """Sign a customer up: a code goes to the e-mail."""
    return _respond("customer_routes", "create_customer", shop)


@app.route(f"{SHOP}/challenges", methods=["POST"], content_types=ANY)
def challenges(shop: str) -> Response:
    """Begin a customer's sign-in."""
    return _respond("customer_routes", "create_challenge", shop)


@app.route(f"{SHOP}/tokens", methods=["POST"], content_types=ANY)
def tokens(shop: str) -> Response:
    """Finish a customer's sign-in or sign-up."""
    return _respond("customer_routes", "create_tokens", shop)


@app.route(f"{SHOP}/tokens/refresh", methods=["POST"], content_types=ANY)
def tokens_refresh(shop: str) -> Response:
    """Trade a refresh token, once, for new tokens."""
    return _respond("customer_routes", "renew_tokens", shop)


@app.route(f"{SHOP}/tokens/revoke", methods=["POST"], content_types=ANY)
def tokens_revoke(shop: str) -> Response:
    """Sign out here."""
    return _respond("customer_routes", "revoke_tokens", shop)


@app.route(f"{SHOP}/me", methods=["GET"])
def my_profile(shop: str) -> Response:
    """Show one's own profile."""
    return _respond("customer_routes", "show_profile", shop)


@app.route(f"{SHOP}/me", methods=["PATCH"], content_types=ANY)
def edit_my_profile(shop: str) -> Response:
    """Edit one's own profile."""
    return _respond("customer_routes", "edit_profile", shop)


@app.route(f"{SHOP}/me", methods=["DELETE"], content_types=ANY)
def erase_me(shop: str) -> Response:
    """Be forgotten."""
    return _respond("customer_routes", "erase_customer", shop)


@app.route(f"{SHOP}/me/cpf", methods=["PUT"], content_types=ANY)
def my_cpf(shop: str) -> Response:
    """Sign in by this CPF from now on."""
    return _respond("customer_routes", "claim_cpf", shop)


@app.route(f"{SHOP}/me/email", methods=["POST"], content_types=ANY)
def ask_for_email(shop: str) -> Response:
    """Have a code sent to another address."""
    return _respond("email_routes", "ask_for_email", shop)


@app.route(f"{SHOP}/me/email", methods=["PUT"], content_types=ANY)
def confirm_email(shop: str) -> Response:
    """Get one's codes at the other address from now on."""
    return _respond("email_routes", "confirm_email", shop)


@app.route(f"{SHOP}/me/export", methods=["GET"])
def my_data(shop: str) -> Response:
    """Give all that is held about oneself."""
    return _respond("customer_routes", "export_data", shop)


@app.route(f"{SHOP}/me/sessions", methods=["DELETE"], content_types=ANY)
def my_sessions(shop: str) -> Response:
    """Sign out everywhere."""
    return _respond("customer_routes", "end_sessions", shop)


@app.route(f"{SHOP}/staff/tokens", methods=["POST"], content_types=ANY)
def staff_tokens(shop: str) -> Response:
    """Sign staff in."""
    return _respond("staff_routes", "create_staff_tokens", shop)


@app.route(f"{SHOP}/staff/password-codes", methods=["POST"], content_types=ANY)
def forget_password(shop: str) -> Response:
    """Have a code sent to set a forgotten password."""
    return _respond("password_routes", "forget_password", shop)


@app.route(f"{SHOP}/staff/passwords", methods=["POST"], content_types=ANY)
def reset_password(shop: str) -> Response:
    """Set a forgotten password."""
    return _respond("password_routes", "reset_password", shop)


@app.route(f"{SHOP}/staff/me/password", methods=["PUT"], content_types=ANY)
def change_password(shop: str) -> Response:
    """Change one's own password."""
    return _respond("password_routes", "change_password", shop)


@app.route(f"{SHOP}/staff/me/totp-removals", methods=["POST"], content_types=ANY)
def remove_totp(shop: str) -> Response:
    """Sign in without an app's code again."""
    return _respond("password_routes", "remove_totp", shop)


@app.route(f"{SHOP}/staff/me/sessions", methods=["DELETE"], content_types=ANY)
def staff_sessions(shop: str) -> Response:
    """Sign oneself out everywhere, as staff."""
    return _respond("staff_routes", "end_staff_sessions", shop)


@app.route(f"{SHOP}/staff/me/totp", methods=["POST"], content_types=ANY)
def begin_totp(shop: str) -> Response:
    """Begin to sign in with an app's code, too."""
    return _respond("staff_routes", "begin_totp", shop)


@app.route(f"{SHOP}/staff/me/totp", methods=["PUT"], content_types=ANY)
def finish_totp(shop: str) -> Response:
    """Prove that the app shows the right code."""
    return _respond("staff_routes", "finish_totp", shop)


@app.route(f"{SHOP}/staff", methods=["GET"])
def list_staff(shop: str) -> Response:
    """List a shop's staff."""
    return _respond("staff_routes", "list_staff", shop)


@app.route(f"{SHOP}/staff", methods=["POST"], content_types=ANY)
def invite_staff(shop: str) -> Response:
    """Invite somebody to a shop's staff."""
    return _respond("staff_routes", "invite_staff", shop)


@app.route(f"{SHOP}/staff/members/{{username}}", methods=["PATCH"], content_types=ANY)
def change_staff(shop: str, username: str) -> Response:
    """Disable or enable somebody, or change their groups."""
    return _respond("staff_routes", "change_staff", shop, username)


@app.route(f"{SHOP}/staff/members/{{username}}/totp-resets", methods=["POST"], content_types=ANY)
def reset_totp(shop: str, username: str) -> Response:
    """Let somebody in who lost their app."""
    return _respond("password_routes", "reset_totp", shop, username)


@app.route(f"{SHOP}/staff/audit", methods=["GET"])
def staff_audit(shop: str) -> Response:
    """Show who did what to whom, and why."""
    return _respond("staff_routes", "show_audit", shop)


@app.route(f"{SHOP}/staff/cpf-releases", methods=["POST"], content_types=ANY)
def cpf_releases(shop: str) -> Response:
    """Take a CPF from the account that claimed it first."""
    return _respond("staff_routes", "release_cpf", shop)


@app.route("/apis/auth/jwks.json", methods=["GET"])
def keys() -> Response:
    """Publish the keys of guests' tokens."""
    return routes.respond("customer_routes", "show_keys")


@app.lambda_function(name="deliver_code")
def deliver_code(event: dict[str, Any], _context: object) -> None:
    """Send a code; called by the API, which does not wait."""
    wiring.deliver(event)


@app.schedule("rate(15 minutes)", name="finish_what_broke")
def finish_what_broke(_event: object) -> None:
    """Finish erasures and changes that broke half-way, and that nobody asked for again."""
    wiring.finish()


@app.lambda_function(name="define_auth_challenge")
def define_auth_challenge(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Tell Cognito what comes next in a sign-in."""
    return triggers.define_challenge(event)


@app.lambda_function(name="create_auth_challenge")
def create_auth_challenge(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Ask for a pass."""
    return triggers.create_challenge(event)


@app.lambda_function(name="verify_auth_challenge")
def verify_auth_challenge(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Check a pass."""
    return triggers.verify_answer(event, passes=wiring.passes)


@app.lambda_function(name="pre_token_generation")
def pre_token_generation(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Add the shop to an access token."""
    return triggers.add_shop_claim(event)


def _respond(module: str, route: str, *parameters: str) -> Response:
    return routes.respond(module, route, app.current_request, *parameters)
