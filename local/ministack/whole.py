"""Serve all of ministack on 127.0.0.1, for tests of deployment; run by ministack's own Python.

`whole.py --port PORT`. Nothing is kept, and IAM is not asked. Two things of API Gateway that
Chalice needs and ministack lacks are added: replacing an API, and taking a setting back.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Answer]]


def main() -> None:
    """Read the arguments and serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    # ministack reads its environment while it is imported, so this comes first.
    os.environ |= {
        "AUTH": "false",
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(arguments.port),
        "MINISTACK_REGION": os.environ.get("AWS_DEFAULT_REGION", "sa-east-1"),
        # Its MQTT and SFTP doors would listen on ports of the whole machine.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "0",
        "STATE_DIR": tempfile.mkdtemp(prefix="ministack-"),
        "LOG_LEVEL": "WARNING",
    }
    from ministack import app
    from ministack.services import apigateway_v1

    apigateway_v1.handle_request = with_replacement(apigateway_v1, apigateway_v1.handle_request)
    sys.argv = sys.argv[:1]
    app.main()


def with_replacement(apis: Any, handle: Handler) -> Handler:
    """Give a handler that also knows `PutRestApi` with `mode=overwrite`, as AWS documents it."""

    async def handler(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Answer:
        parts = path.strip("/").split("/")
        if method == "PATCH" and len(parts) == 2 and parts[0] == "restapis":
            body = _without_empty_values(body)
        if method != "PUT" or len(parts) != 2 or parts[0] != "restapis":
            return await handle(method, path, headers, body, query)
        made = await handle("POST", "/restapis", headers, body, {"mode": "import"})
        if made[0] >= 300:
            return made
        _move(apis, source=json.loads(made[2])["id"], target=parts[1])
        return await handle("GET", path, headers, b"", {})

    return handler


def _move(apis: Any, *, source: str, target: str) -> None:
    # Overwriting replaces what the definition says, the gateway's own answers included; the
    # stages and the deployments stay as they were.
    for name in ("_resources", "_models", "_authorizers_v1", "_gateway_responses"):
        kept: Any = getattr(apis, name)
        kept[target] = kept.pop(source)
    for name in ("_rest_apis", "_stages_v1", "_deployments_v1", "_documentation_parts"):
        getattr(apis, name).pop(source, None)


def _without_empty_values(body: bytes) -> bytes:
    # AWS takes an empty value as "none"; ministack would answer it to whoever asks for a number.
    data: Mapping[str, Any] = json.loads(body or b"{}")
    changes = [it for it in data.get("patchOperations", ()) if it.get("value") != ""]
    return json.dumps({**data, "patchOperations": changes}).encode()


if __name__ == "__main__":
    main()
