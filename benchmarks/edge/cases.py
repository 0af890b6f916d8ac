"""What is started cold: a bare handler, our zips, the same without bytecode, and apps as usual."""

import json
import shutil
import sys
import time
from compileall import compile_dir
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk, jwt

from benchmarks.edge.aws_stub import SECRET
from comanda.mercadopago.signature import sign
from local.gateway.event import HttpRequest, lambda_event
from local.packaging import package

ARCHITECTURE = {"aarch64": "arm64", "arm64": "arm64"}
ISSUER = "https://issuer.test"
SHOP = "lanchonete-da-ana"
REQUEST_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
# Lambda brings these itself, compiled.
RUNTIME = ("boto3", "botocore", "s3transfer", "urllib3", "jmespath", "dateutil", "six.py")
# What `aws-lambda-powertools[tracer]` and `python-jose[cryptography]` put into a zip.
USUAL = (
    *("aws_lambda_powertools", "aws_xray_sdk", "wrapt", "typing_extensions.py", "jose"),
    *("cryptography", "cffi", "ecdsa", "rsa", "pyasn1", "pycparser", "chalice"),
)
_ABSENT = shutil.ignore_patterns("__pycache__")


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One function to start: where its modules are and how its first request is made."""

    name: str
    kind: str
    path: tuple[Path, ...]
    size: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A token and the key set that verifies it."""

    text: str
    jwks: dict[str, Any]


def make_cases(folder: Path, *, architecture: str) -> list[Case]:
    """Build everything under `folder`."""
    site = _site_packages()
    runtime = _linked(folder / "runtime", site, RUNTIME)
    cases = [Case(name="bare handler", kind="bare", path=())]
    for app, kind in (("webhooks", "app"), ("auth", "token")):
        made = package(f"{app}_lambda", out=folder / app, architecture=architecture)
        size = made.zip.stat().st_size
        ours = _unzipped(made.zip, folder / app / "ours", with_bytecode=True)
        plain = _unzipped(made.zip, folder / app / "plain", with_bytecode=False)
        usual = _usual(folder / app / "usual", site, app)
        usual_kind = {"app": "app", "token": "usual_token"}[kind]
        cases += [
            Case(name=f"{app}: ours", kind=kind, path=(ours, runtime), size=size),
            Case(name=f"{app}: ours, without bytecode", kind=kind, path=(plain, runtime)),
            Case(name=f"{app}: as usual", kind=usual_kind, path=(usual, runtime)),
        ]
    return cases


def signed_event() -> dict[str, Any]:
    """Make API Gateway's event of an authentic notification."""
    header = sign(
        secret=SECRET, data_id="123456789012", request_id=REQUEST_ID, ts=str(int(time.time()))
    )
    path = f"/webhooks/mercadopago/{SHOP}"
    request = HttpRequest(
        method="POST",
        path=path,
        query="data.id=123456789012&type=payment",
        headers=[
            ("x-signature", header),
            ("x-request-id", REQUEST_ID),
            ("content-type", "application/json"),
        ],
        body=b'{"type":"payment","data":{"id":"123456789012"}}',
        source_ip="127.0.0.1",
        request_id="r",
    )
    template = "/webhooks/mercadopago/{shop}"
    return lambda_event(request, resource=template, parameters={"shop": SHOP}, stage="prod")


def signed_token() -> Token:
    """Make a customer's access token as Cognito would."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "sub": "s",
        "username": "0199aa00-0000-7000-8000-000000000001",
        "token_use": "access",
        "client_id": "web",
        "shop": SHOP,
        "iat": now,
        "exp": now + 3600,
    }
    text = jwt.encode(claims, private, algorithm="RS256", headers={"kid": "k1"})
    public = jwk.construct(private, "RS256").public_key().to_dict()
    named = {name: v.decode() if isinstance(v, bytes) else v for name, v in public.items()}
    return Token(text=text, jwks={"keys": [{**named, "kid": "k1", "use": "sig"}]})


def write_event(file: Path) -> None:
    """Put the event where a child finds it."""
    file.write_text(json.dumps(signed_event()))


def _site_packages() -> Path:
    return Path(next(part for part in sys.path if part.endswith("site-packages")))


def _linked(folder: Path, site: Path, names: tuple[str, ...]) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).symlink_to(site / name)
        if not name.endswith(".py"):
            compile_dir(site / name, quiet=2, workers=1)
    return folder


def _unzipped(archive: Path, folder: Path, *, with_bytecode: bool) -> Path:
    with ZipFile(archive) as file:
        names = [n for n in file.namelist() if with_bytecode or not n.endswith(".pyc")]
        file.extractall(folder, members=names)
    return folder


def _usual(folder: Path, site: Path, app: str) -> Path:
    folder.mkdir(parents=True)
    for name in USUAL:
        source = site / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=_ABSENT)
        else:
            shutil.copy(source, folder)
    for library in site.glob("_cffi_backend*"):
        shutil.copy(library, folder)
    shutil.copy(Path(__file__).parent / "usual" / app / "app.py", folder)
    return folder
