"""Which IAM actions our code needs: found in its source, by the names of the calls it makes."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from botocore import xform_name
from botocore.session import get_session

from local.provision.context import REPOSITORY

SERVICES = ("dynamodb", "sqs", "sns", "secretsmanager", "cognito-idp", "ses", "lambda", "s3")
# IAM asks for another name than the call's: one action covers a batch or a transaction's members.
NAMED_OTHERWISE = {
    "sns:PublishBatch": ("sns:Publish",),
    "sqs:SendMessageBatch": ("sqs:SendMessage",),
    "sqs:DeleteMessageBatch": ("sqs:DeleteMessage",),
    "sqs:ChangeMessageVisibilityBatch": ("sqs:ChangeMessageVisibility",),
    "dynamodb:TransactWriteItems": (),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "lambda:Invoke": ("lambda:InvokeFunction",),
    # Cognito takes these from anybody who holds the token that they are about.
    "cognito-idp:RevokeToken": (),
    "cognito-idp:AssociateSoftwareToken": (),
    "cognito-idp:VerifySoftwareToken": (),
    "cognito-idp:ChangePassword": (),
}
# The members of transactions, which are plain data in the source.
_MEMBERS = {"Put": "dynamodb:PutItem", "Update": "dynamodb:UpdateItem"}
# Names that a dictionary or a queue of ours has as well.
_AMBIGUOUS = frozenset({"query", "scan", "get_item", "publish", "invoke"})


def actions_in(*folders: str) -> frozenset[str]:
    """Give the actions of all calls in these folders or files."""
    found: set[str] = set()
    for file in _files(folders):
        tree = ast.parse(file.read_text())
        found.update(action for node in ast.walk(tree) for action in _of_node(node))
        found.update(_spelled_out(file.read_text()))
    return frozenset(found)


@cache
def operations() -> dict[str, str]:
    """Give every operation of the services by the name of its method, as an IAM action."""
    known: dict[str, str] = {}
    for service in SERVICES:
        for name in get_session().get_service_model(service).operation_names:
            known.setdefault(xform_name(name), f"{service}:{name}")
    return known


def _of_node(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and node.attr in operations() and _is_client(node.value):
        action = operations()[node.attr]
        yield from NAMED_OTHERWISE.get(action, (action,))
    if isinstance(node, ast.Dict):
        for key in node.keys:
            if isinstance(key, ast.Constant) and key.value in _MEMBERS and len(node.keys) == 1:
                yield _MEMBERS[str(key.value)]


def _is_client(node: ast.expr) -> bool:
    return "client" in ast.unparse(node)


def _spelled_out(source: str) -> Iterator[str]:
    # webhooks_lambda signs its calls itself and names them as they travel.
    for target in re.findall(r'"(secretsmanager)\.([A-Z][A-Za-z]+)"', source):
        yield ":".join(target)
    if re.search(r'"Action"\s*:\s*"Publish"', source):
        yield "sns:Publish"
    # The adapter of dead letters is told by name what to call.
    if "Caller" in source:
        for name in re.findall(r'"([A-Z][A-Za-z]+)"', source):
            if (action := f"sqs:{name}") in operations().values():
                yield from NAMED_OTHERWISE.get(action, (action,))


def _files(folders: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        path = REPOSITORY / folder
        yield from path.rglob("*.py") if path.is_dir() else (path,)
