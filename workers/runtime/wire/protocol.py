"""What goes over the wire: operations with parameters become bodies, answers become dictionaries.

AWS JSON 1.0 and 1.1 carry the parameters as they are. The Query protocol (SNS) is written and read
by botocore's own serializer and parser. Blobs and timestamps are not converted: no call here has
them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from botocore.model import ServiceModel
from botocore.parsers import ResponseParserError, create_parser
from botocore.serialize import create_serializer


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An HTTP answer; its headers are found in whatever case they are asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class UnreadableAnswer(Exception):
    """The answer is not what this protocol says, as from a proxy that went wrong."""


class WireProtocol(Protocol):
    """How one service wants to be spoken to."""

    def request(self, action: str, params: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
        """Write the headers and the body of a call."""

    def result(self, action: str, answer: Answer) -> dict[str, Any]:
        """Read a successful answer; raise `UnreadableAnswer`."""

    def fault(self, answer: Answer) -> dict[str, Any]:
        """Read an error into botocore's shape: `{"Error": {"Code", "Message"}, ...}`."""


def protocol_of(model: ServiceModel) -> WireProtocol:
    """Choose the protocol that botocore's model of the service names."""
    if model.metadata["protocol"] == "json":
        return JSONProtocol(model)
    return QueryProtocol(model)


class JSONProtocol:
    """AWS JSON: the action in a header, the parameters as they are."""

    def __init__(self, model: ServiceModel) -> None:
        self._prefix = model.metadata["targetPrefix"]
        self._headers = {
            "Content-Type": f"application/x-amz-json-{model.metadata['jsonVersion']}",
        }
        if model.is_query_compatible:
            self._headers["X-Amzn-Query-Mode"] = "true"

    def request(self, action: str, params: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
        """Write the headers and the body of a call."""
        headers = {**self._headers, "X-Amz-Target": f"{self._prefix}.{action}"}
        return headers, json.dumps(params, separators=(",", ":")).encode()

    def result(self, action: str, answer: Answer) -> dict[str, Any]:  # noqa: ARG002  # The port's shape.
        """Read a successful answer; raise `UnreadableAnswer`."""
        return _object(answer.body)

    def fault(self, answer: Answer) -> dict[str, Any]:
        """Read an error; `awsQueryCompatible` services name the older code in a header."""
        try:
            content = _object(answer.body)
        except UnreadableAnswer:
            content = {}
        named = answer.headers.get("x-amzn-query-error", "").partition(";")[0]
        # `com.amazonaws.sqs#QueueDoesNotExist` and `Code:http://...` are both seen.
        code = str(content.get("__type", answer.status)).rpartition("#")[2].partition(":")[0]
        message = content.get("message") or content.get("Message") or ""
        return {**content, "Error": {"Code": named or code, "Message": message}}


class QueryProtocol:
    """AWS Query: everything in a form, answers in XML; both by botocore's own code."""

    def __init__(self, model: ServiceModel) -> None:
        self._model = model
        self._serializer = create_serializer("query", include_validation=False)
        self._parser = create_parser("query")

    def request(self, action: str, params: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
        """Write the headers and the body of a call."""
        operation = self._model.operation_model(action)
        parts = self._serializer.serialize_to_request(params, operation)
        return dict(parts["headers"]), urlencode(parts["body"]).encode()

    def result(self, action: str, answer: Answer) -> dict[str, Any]:
        """Read a successful answer; raise `UnreadableAnswer`."""
        return self._parsed(answer, self._model.operation_model(action).output_shape)

    def fault(self, answer: Answer) -> dict[str, Any]:
        """Read an error."""
        try:
            return self._parsed(answer, None)
        except UnreadableAnswer:
            return {"Error": {"Code": str(answer.status), "Message": ""}}

    def _parsed(self, answer: Answer, shape: Any) -> dict[str, Any]:
        parts = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
        try:
            parsed: dict[str, Any] = self._parser.parse(parts, shape)
        # The parser knows AWS's XML and fails on a proxy's page in more than one way.
        except (ValueError, KeyError, TypeError, AttributeError, ResponseParserError) as exc:
            raise UnreadableAnswer(type(exc).__name__) from exc
        return parsed


def _object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body) if body else {}
    except ValueError as exc:
        raise UnreadableAnswer("not JSON") from exc
    if not isinstance(content, dict):
        raise UnreadableAnswer("not an object")
    return content
