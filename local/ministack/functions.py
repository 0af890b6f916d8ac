"""Give each function keys of its own, where a guard tells programs apart by who signs.

`COMANDA_FUNCTION_KEYS` names a file with access key and secret by the function's name.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc


def install() -> None:
    """Take the place of ministack's own keys, if there is a file; it gives all functions one."""
    file = os.environ.get("COMANDA_FUNCTION_KEYS")
    if file is None:
        return
    known: Mapping[str, tuple[str, str]] = json.loads(Path(file).read_text())

    def keys_of(config: Mapping[str, Any]) -> dict[str, str]:
        key, secret = known[config["FunctionName"]]
        return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": ""}

    lambda_runtime.execution_credentials = keys_of
    lambda_svc.execution_credentials = keys_of
