"""The guard: who signs a request, may they, and then on to the stand-in that plays the service.

Every request of a laptop's programs comes here first; what was asked goes into the record. It runs
in ministack's environment, whose evaluator decides.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.iam.asked import Asker, NotUnderstood, Question, Request
from local.iam.encryption import asked_of_kms
from local.iam.judging import Judge
from local.iam.record import Record, entry_for
from local.iam.refusals import denied, plain, unknown_key, unsigned
from local.iam.relay import Backends, body_of

CONTROL = "/_guard"
# Cognito takes these from anybody who holds the token or code that they are about.
_OF_ANYBODY = frozenset(
    {"AssociateSoftwareToken", "ChangePassword", "GetUser", "RevokeToken", "VerifySoftwareToken"}
)
_KEYS_OF_TOKENS = "/.well-known/jwks.json"
_ON_THE_BUS = frozenset({"sns", "sqs"})
_POOL = re.compile(r"(arn:aws:cognito-idp:.*:userpool/)(.+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Callers:
    """Who has which access key; the account's own may do everything and is not recorded."""

    account: str
    workloads: Mapping[str, str]


class Guard:
    """Answer requests: refuse them, or pass them on."""

    def __init__(self, *, callers: Callers, asker: Asker, judge: Judge, record: Record) -> None:
        self._callers = callers
        self._asker = asker
        self._judge = judge
        self._record = record
        self._pools: dict[str, str] = {}

    async def answer(self, request: Request, raw: bytes, backends: Backends) -> bytes:
        """Give the whole answer to a request; raise `OSError` when a stand-in gives none."""
        if request.path.startswith(CONTROL):
            return self._control(request)
        key, service = request.signed_by or ("", "")
        if not key:
            refusal = None if _is_of_anybody(request) else self._refuse_unsigned(request)
        elif key == self._callers.account:
            refusal = None
        elif key not in self._callers.workloads:
            refusal = self._refuse(f"key {key}", request, service, unknown_key(request, service))
        else:
            refusal = await self._judged(self._callers.workloads[key], request, service, backends)
        if refusal is not None:
            return refusal
        name = "bus" if service in _ON_THE_BUS else "aws"
        return await backends[name].ask(raw, is_head=request.method == "HEAD")

    async def _judged(
        self, workload: str, request: Request, service: str, backends: Backends
    ) -> bytes | None:
        """Give the refusal, if there is one."""
        try:
            asked = self._asker.questions(request, service)
        except NotUnderstood as exc:
            question = Question(action=f"{service}:{request.operation or '?'}", resource="*")
            return self._refuse(workload, request, service, plain(str(exc)), question)
        keys, refused = self._judge.keys_of(workload), None
        for question in [await self._named(it, backends) for it in asked]:
            for one in (question, *asked_of_kms(question)):
                is_allowed = self._judge.allows(workload, one)
                self._record.add(entry_for(workload, one, keys=keys, is_allowed=is_allowed))
                refused = refused or (None if is_allowed else one)
        return denied(workload, refused, request, service) if refused else None

    async def _named(self, question: Question, backends: Backends) -> Question:
        """Give the question with a pool's name for its random id, which no policy can know."""
        found = _POOL.fullmatch(question.resource)
        if found is None:
            return question
        if found[2] not in self._pools:
            self._pools[found[2]] = await _pool_name(found[2], backends)
        return replace(question, resource=found[1] + self._pools[found[2]])

    def _refuse_unsigned(self, request: Request) -> bytes:
        return self._refuse("nobody", request, "unsigned", unsigned(request))

    def _refuse(
        self,
        workload: str,
        request: Request,
        service: str,
        answer: bytes,
        question: Question | None = None,
    ) -> bytes:
        action = f"{service}:{request.operation or request.method}"
        asked = question or Question(action=action, resource="*")
        self._record.add(entry_for(workload, asked, keys=(), is_allowed=False))
        return answer

    def _control(self, request: Request) -> bytes:
        """`GET /_guard` tells what was asked; `PUT` gives workloads other policies."""
        if request.method == "PUT":
            self._judge.obey(json.loads(request.body))
        return plain(json.dumps(self._record.as_data()), status=200)


def _is_of_anybody(request: Request) -> bool:
    if request.method == "GET":
        return request.path.endswith(_KEYS_OF_TOKENS)
    return request.operation in _OF_ANYBODY


async def _pool_name(pool: str, backends: Backends) -> str:
    body = json.dumps({"UserPoolId": pool}).encode()
    head = (
        b"POST / HTTP/1.1\r\nhost: laptop\r\ncontent-type: application/x-amz-json-1.1\r\n"
        b"x-amz-target: AWSCognitoIdentityProviderService.DescribeUserPool\r\n"
        b"authorization: AWS4-HMAC-SHA256 Credential=laptop/20260101/sa-east-1/cognito-idp/"
        b"aws4_request, SignedHeaders=host, Signature=0\r\n"
    )
    answer = await backends["aws"].ask(head + b"content-length: %d\r\n\r\n%s" % (len(body), body))
    told: dict[str, Any] = json.loads(body_of(answer))
    # A pool that there is not is called by what it was asked for.
    return str(told.get("UserPool", {}).get("Name", pool))
