"""A function behind tokens as usual: clients, a table and Powertools at module level, and jose."""

import json
import os
import urllib.request

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from chalice import Chalice, Response
from jose import jwt

app = Chalice(app_name="usual_auth", configure_logs=False)
logger = Logger(service="auth")
metrics = Metrics(namespace="usual", service="auth")
tracer = Tracer(service="auth")
cognito = boto3.client("cognito-idp")
table = boto3.resource("dynamodb").Table("customers")


def verify(token: str) -> dict[str, object]:
    """Check a token against the published keys."""
    with urllib.request.urlopen(os.environ["COMANDA_CUSTOMER_JWKS_URL"]) as answer:  # noqa: S310
        keys = json.load(answer)
    claims: dict[str, object] = jwt.decode(
        token,
        keys,
        algorithms=["RS256"],
        issuer=os.environ["COMANDA_CUSTOMER_ISSUER"],
        options={"verify_aud": False},
    )
    return claims


@app.route("/apis/auth/{shop}/me")
def me(shop: str) -> Response:
    """Tell a customer who they are."""
    claims = verify(app.current_request.headers["authorization"].removeprefix("Bearer "))
    return Response({"shop": shop, "sub": claims["sub"]}, status_code=200)
