"""Put what API Gateway itself answers into a REST API: `gateway.json`, with CORS headers.

Chalice replaces the whole API at each deploy, and with it these answers, so they follow each
deploy and are published by a deployment of their own (ADR 0061).
"""

import json
from typing import Any

from terraform.tool import REPOSITORY

# What a browser must be told even when it is refused, or it tells its user nothing at all.
_CORS = {
    "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
    "gatewayresponse.header.Access-Control-Allow-Headers": (
        "'Authorization,Content-Type,Idempotency-Key,If-Match,Prefer'"
    ),
    "gatewayresponse.header.Cache-Control": "'no-store'",
}


def put_answers(gateway: Any, *, api_id: str, stage: str) -> int:
    """Put all answers and publish them; give how many there are."""
    known = json.loads((REPOSITORY / "gateway.json").read_text())["responses"]
    for kind, answer in known.items():
        gateway.put_gateway_response(
            restApiId=api_id,
            responseType=kind,
            statusCode=str(answer["status"]),
            responseParameters=_CORS,
            responseTemplates={"application/json": _document(answer)},
        )
    gateway.create_deployment(restApiId=api_id, stageName=stage, description="gateway answers")
    return len(known)


def _document(answer: dict[str, Any]) -> str:
    return json.dumps(answer)
