"""A receiver as usual: clients and Powertools at module level, the official rules of signing."""

import hashlib
import hmac
import json
import os

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from chalice import Chalice, Response

app = Chalice(app_name="usual_webhooks", configure_logs=False)
logger = Logger(service="webhooks")
metrics = Metrics(namespace="usual", service="webhooks")
tracer = Tracer(service="webhooks")
sns = boto3.client("sns")
secrets = boto3.client("secretsmanager")


@app.route("/webhooks/mercadopago/{shop}", methods=["POST"], content_types=["*/*"])
def mercadopago(shop: str) -> Response:
    """Verify, publish, answer."""
    request = app.current_request
    signature = dict(part.split("=", 1) for part in request.headers["x-signature"].split(","))
    data_id, request_id = request.query_params["data.id"], request.headers["x-request-id"]
    manifest = f"id:{data_id.lower()};request-id:{request_id};ts:{signature['ts']};"
    name = f"comanda/{os.environ['COMANDA_STAGE']}/{shop}/mercadopago"
    secret = json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])
    key = secret["webhook_secrets"][0].encode()
    digest = hmac.new(key, manifest.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(digest, signature["v1"]):
        return Response("", status_code=401)
    sns.publish(TopicArn=os.environ["COMANDA_TOPIC_ARN"], Message=json.dumps(request.json_body))
    logger.info("notification received", extra={"data_id": data_id})
    return Response("", status_code=200)
