"""What services ask of KMS in the caller's name, for a stage's tables, queues and secrets.

A laptop encrypts nothing, so the guard asks these as well: a policy without its keys would be
refused on AWS alone. After each service's own page on encryption at rest.
"""

from collections.abc import Iterator

from local.iam.asked import ACCOUNT, REGION, Question

_DECRYPT, _BOTH = ("kms:Decrypt",), ("kms:Decrypt", "kms:GenerateDataKey")
_KEYS = {
    "dynamodb": "data_key",
    "s3": "data_key",
    "sns": "messaging_key",
    "sqs": "messaging_key",
    "secretsmanager": "secrets_key",
}
_READING = ("dynamodb:Get", "dynamodb:BatchGet", "dynamodb:Query", "dynamodb:Scan")
_ASKED = {
    "sqs:SendMessage": _BOTH,
    "sqs:ReceiveMessage": _DECRYPT,
    "sns:Publish": _BOTH,
    "s3:GetObject": _DECRYPT,
    "s3:PutObject": ("kms:GenerateDataKey",),
    "secretsmanager:GetSecretValue": _DECRYPT,
}


def asked_of_kms(question: Question) -> Iterator[Question]:
    """Give what the service asks of the key for this question's call."""
    service = question.action.partition(":")[0]
    for action in _actions(question.action):
        via = f"{service}.{REGION}.amazonaws.com"
        context = {"kms:ViaService": (via,)}
        yield Question(action=action, resource=key_arn(_KEYS[service]), context=context)


def key_arn(name: str) -> str:
    """Name a key of the stage, which a laptop does not have."""
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{name}"


def _actions(action: str) -> tuple[str, ...]:
    if action.startswith("dynamodb:"):
        return _DECRYPT if action.startswith(_READING) else _BOTH
    return _ASKED.get(action, ())
