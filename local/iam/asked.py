"""What a request asks of IAM: its actions, each with a resource and the keys of its context.

A request arrives as HTTP; what leaves are questions for `local.iam.judging`. The rules are those
of AWS's service authorization reference. Runs in ministack's environment, so it imports the
standard library alone.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from local.iam.items import JSON, Keys, questions_of

ACCOUNT, REGION = "000000000000", "sa-east-1"
Context = Mapping[str, tuple[str, ...]]
_CREDENTIAL = re.compile(r"Credential=([^/,]+)/\d{8}/[^/]+/([^/]+)/aws4_request")
_TARGETS = {
    "cognito-idp": "AWSCognitoIdentityProviderService",
    "dynamodb": "DynamoDB_20120810",
    "secretsmanager": "secretsmanager",
    "sqs": "AmazonSQS",
}
# IAM knows no batches: each is the action of its members.
_SQS_BATCH = re.compile(r"(SendMessage|DeleteMessage|ChangeMessageVisibility)Batch")


class NotUnderstood(Exception):
    """The request is none that this guard can judge, so it must not pass."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request of HTTP, its headers by their lower-case names."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def signed_by(self) -> tuple[str, str] | None:
        """Give the access key and the service of the signature; nothing without one."""
        found = _CREDENTIAL.search(self.headers.get("authorization", ""))
        return (found[1], found[2]) if found else None

    @property
    def target(self) -> str:
        """Give the API that a JSON protocol names; empty in any other."""
        return self.headers.get("x-amz-target", "").rpartition(".")[0]

    @property
    def operation(self) -> str:
        """Give the operation of a JSON protocol; empty in any other."""
        return self.headers.get("x-amz-target", "").rpartition(".")[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """May this be done with that? The context's keys have the spelling of policies."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asker:
    """What the laptop is called by: its tables' keys, and the names that a stage's differ from."""

    keys: Keys
    buckets: Mapping[str, str]
    secrets: frozenset[str]

    def questions(self, request: Request, service: str) -> tuple[Question, ...]:
        """Give all that IAM is asked for one request; raise `NotUnderstood`."""
        ask = _SERVICES.get(service)
        # A stand-in goes by the target, so a signature for another service must not lead past it.
        is_consistent = request.target == _TARGETS.get(service, "")
        try:
            asked = tuple(ask(self, request)) if ask and is_consistent else ()
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise NotUnderstood(f"{service} {request.operation}: {exc!r}") from exc
        if not asked:
            raise NotUnderstood(f"{service} {request.method} {request.path} {request.operation}")
        return asked

    def _dynamodb(self, request: Request) -> Iterator[Question]:
        for it in questions_of(request.operation, _json(request), keys=self.keys):
            resource = _arn("dynamodb", f"table/{it.table}")
            context = {"dynamodb:LeadingKeys": it.leading, "dynamodb:Attributes": it.attributes}
            yield Question(
                action=f"dynamodb:{it.action}",
                resource=f"{resource}/index/{it.index}" if it.index else resource,
                context={name: values for name, values in context.items() if values},
            )

    def _sqs(self, request: Request) -> Iterator[Question]:
        body = _json(request)
        # A queue is asked for by its name in these alone; beside an address a name means nothing.
        is_named = request.operation in ("CreateQueue", "GetQueueUrl")
        name = body["QueueName"] if is_named else body["QueueUrl"].rpartition("/")[2]
        batch = _SQS_BATCH.fullmatch(request.operation)
        action = batch[1] if batch else request.operation
        yield Question(action=f"sqs:{action}", resource=_arn("sqs", name))

    def _sns(self, request: Request) -> Iterator[Question]:
        form = _form(request)
        action = form["Action"].removesuffix("Batch")
        yield Question(action=f"sns:{action}", resource=form["TopicArn"])

    def _secretsmanager(self, request: Request) -> Iterator[Question]:
        name = _json(request)["SecretId"]
        # AWS adds six random characters to the name of a secret that there is.
        known = f"{name}-xxxxxx" if name in self.secrets else name
        resource = _arn("secretsmanager", f"secret:{known}")
        yield Question(action=f"secretsmanager:{request.operation}", resource=resource)

    def _cognito(self, request: Request) -> Iterator[Question]:
        resource = _arn("cognito-idp", f"userpool/{_json(request)['UserPoolId']}")
        yield Question(action=f"cognito-idp:{request.operation}", resource=resource)

    def _ses(self, request: Request) -> Iterator[Question]:
        form = _form(request)
        # A stage verifies the domain alone, so that is the identity that sends.
        domain = form["Source"].rpartition("@")[2].rstrip("> ")
        yield Question(action=f"ses:{form['Action']}", resource=_arn("ses", f"identity/{domain}"))

    def _lambda(self, request: Request) -> Iterator[Question]:
        found = re.fullmatch(r"/2015-03-31/functions/([^/]+)/invocations", request.path)
        if found is None or request.method != "POST":
            return
        name = unquote(found[1])
        arn = name if name.startswith("arn:") else _arn("lambda", f"function:{name}")
        yield Question(action="lambda:InvokeFunction", resource=arn)

    def _s3(self, request: Request) -> Iterator[Question]:
        bucket, _, key = unquote(request.path).lstrip("/").partition("/")
        words = {name.lower() for name in parse_qs(request.query, keep_blank_values=True)}
        resource = f"arn:aws:s3:::{self.buckets.get(bucket, bucket)}"
        if not key and request.method == "GET" and words & {"list-type"}:
            yield Question(action="s3:ListBucket", resource=resource)
        # Tags, rights, uploads in parts and whatever else hides in the query have their own names.
        elif key and not words - {"x-id"}:
            does = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject"}
            action = {**does, "DELETE": "DeleteObject"}[request.method]
            yield Question(action=f"s3:{action}", resource=f"{resource}/{key}")


_SERVICES: Mapping[str, Callable[[Asker, Request], Iterator[Question]]] = {
    "dynamodb": Asker._dynamodb,  # noqa: SLF001  # Its own methods, by the service's name.
    "sqs": Asker._sqs,  # noqa: SLF001
    "sns": Asker._sns,  # noqa: SLF001
    "secretsmanager": Asker._secretsmanager,  # noqa: SLF001
    "cognito-idp": Asker._cognito,  # noqa: SLF001
    "ses": Asker._ses,  # noqa: SLF001
    "email": Asker._ses,  # noqa: SLF001
    "lambda": Asker._lambda,  # noqa: SLF001
    "s3": Asker._s3,  # noqa: SLF001
}


def _arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


def _json(request: Request) -> JSON:
    content: Any = json.loads(request.body or b"{}")
    if not isinstance(content, dict):
        raise TypeError("no JSON object")
    return content


def _form(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
