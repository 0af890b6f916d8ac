"""What AWS answers to whom it does not let in, in the protocol of the service that was asked."""

from uuid import uuid4

from ministack.core.iam_actions import access_denied_response, identity_denial_message

from local.iam.asked import Question, Request
from local.iam.judging import role_arn

_INVALID = "The security token included in the request is invalid."
# Of the services with a JSON protocol only SQS answers 403, as its elder protocol does.
_FORBIDDEN_IN_JSON = frozenset({"sqs"})


def denied(workload: str, question: Question, request: Request, service: str) -> bytes:
    """Refuse what no policy allows, in AWS's words."""
    message = identity_denial_message(
        question.action, role_arn(workload), question.resource, explicit_deny=False
    )
    return _answer(service, request, message=message)


def unknown_key(request: Request, service: str) -> bytes:
    """Refuse a key that nobody has."""
    return _answer(service, request, message=_INVALID, code="UnrecognizedClientException")


def unsigned(request: Request) -> bytes:
    """Refuse a request without a signature."""
    return _answer("", request, message="Missing Authentication Token")


def plain(text: str, *, status: int = 400) -> bytes:
    """Answer in words of the guard's own."""
    return _http(status, {"content-type": "application/json"}, text.encode())


def _answer(service: str, request: Request, *, message: str, code: str = "") -> bytes:
    status, headers, body = access_denied_response(
        service, "", "", str(uuid4()), message=message, error_code=code, headers=request.headers
    )
    if request.operation and service not in _FORBIDDEN_IN_JSON:
        status = 400
    return _http(status, headers, body)


def _http(status: int, headers: dict[str, str], body: bytes) -> bytes:
    reason = {200: "OK", 400: "Bad Request", 403: "Forbidden"}.get(status, "Refused")
    every = {**headers, "content-length": str(len(body)), "x-amzn-requestid": str(uuid4())}
    lines = "".join(f"{name}: {value}\r\n" for name, value in every.items())
    return f"HTTP/1.1 {status} {reason}\r\n{lines}\r\n".encode() + body
