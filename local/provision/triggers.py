"""Put the Cognito triggers of the auth app into the stand-in for Lambda, as Chalice would."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
# What Cognito calls, by the function's name in the app.
TRIGGERS = (
    "define_auth_challenge",
    "create_auth_challenge",
    "verify_auth_challenge",
    "pre_token_generation",
)
# What the API calls without waiting for it.
POST = "deliver_code"
ARNs = Mapping[str, str]
_ROLE = "arn:aws:iam::000000000000:role/comanda-laptop-auth"
# A first sign-in should not wait for the interpreter; this is what a staff sign-in asks.
_WARMING = b'{"request": {"userAttributes": {"custom:shop": "warming"}}, "response": {}}'


def deploy_triggers(client: Any, *, stage: str, variables: Mapping[str, str]) -> ARNs:
    """Make or renew the functions, and give their ARNs by name."""
    code = package()
    arns = {
        name: _deploy(client, f"auth_lambda-{stage}-{name}", code=code, variables=variables)
        for name in TRIGGERS
    }
    client.invoke(
        FunctionName=arns["pre_token_generation"], InvocationType="Event", Payload=_WARMING
    )
    return arns


def deploy_post(client: Any, *, stage: str, variables: Mapping[str, str]) -> None:
    """Make or renew the function that sends codes; it must know the pool, which the rest make."""
    _deploy(client, f"auth_lambda-{stage}-{POST}", code=package(), variables=variables)


def package() -> bytes:
    """Zip the app with what it imports before its first client: Chalice's runtime and `comanda`.

    boto3 comes with the stand-in's interpreter, as it comes with Lambda's.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, file in _files():
            archive.write(file, name)
    return content.getvalue()


def _files() -> Iterator[tuple[str, Path]]:
    app = REPOSITORY / "auth_lambda"
    yield "app.py", app / "app.py"
    for folder, root in ((app / "chalicelib", app), (REPOSITORY / "comanda", REPOSITORY)):
        for file in sorted(folder.rglob("*.py")):
            yield str(file.relative_to(root)), file
    spec = find_spec("chalice")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("chalice is not installed")
    # These two files are all that `chalice package` ships of itself.
    for name in ("__init__.py", "app.py"):
        yield f"chalice/{name}", Path(spec.origin).with_name(name)


def _deploy(client: Any, name: str, *, code: bytes, variables: Mapping[str, str]) -> str:
    settings = {
        "Handler": f"app.{name.rpartition('-')[2]}",
        "Runtime": "python3.13",
        "Environment": {"Variables": dict(variables)},
        "Timeout": 10,
    }
    try:
        answer = client.create_function(
            FunctionName=name, Role=_ROLE, Code={"ZipFile": code}, **settings
        )
    except client.exceptions.ResourceConflictException:
        client.update_function_code(FunctionName=name, ZipFile=code)
        answer = client.update_function_configuration(FunctionName=name, **settings)
    return str(answer["FunctionArn"])
