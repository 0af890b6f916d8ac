"""Verify one token over and over, ours beside PyJWT and joserfc: `python -m benchmarks.identity`.

All three hold the key constructed, check the signature (RS256, 2048 bits) and the same claims:
issuer, times, use, client. They take turns in one process; the median of the rounds counts. The
exit status is 1 when we are slower than a peer.
"""

import argparse
import base64
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from benchmarks.findings import Finding, tell
from benchmarks.identity import peers
from comanda.clock import utc_now
from comanda.identity.verifier import Kind, TokenVerifier, TrustedIssuer

ISSUER, CLIENT = "https://issuer.test/pool", "web"
PEERS = Path(__file__).resolve().parents[2] / ".comanda" / "bench" / "identity-peers"
PYJWT = "PyJWT==2.15.1"


def main() -> int:
    """Measure, print, and give 1 when a peer is faster."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.identity")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--count", type=int, default=1500, help="verifications in a round")
    chosen = parser.parse_args()
    _fetch_pyjwt()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    token = _token(key)
    contenders = {
        "comanda": _ours(key),
        "PyJWT": peers.pyjwt(key, issuer=ISSUER, client=CLIENT),
        "joserfc": peers.joserfc(key, issuer=ISSUER, client=CLIENT),
    }
    taken = _measure(contenders, token, rounds=chosen.rounds, count=chosen.count)
    return _report(taken)


def _measure(
    contenders: Mapping[str, Callable[[str], object]], token: str, *, rounds: int, count: int
) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for verify in contenders.values():
        verify(token)
    for _ in range(rounds):
        for name, verify in contenders.items():
            # CPU time: what other processes do meanwhile costs nobody anything.
            began = time.process_time()
            for _ in range(count):
                verify(token)
            taken[name].append((time.process_time() - began) / count)
    return taken


def _report(taken: Mapping[str, list[float]]) -> int:
    middle = {name: statistics.median(times) for name, times in taken.items()}
    for name, seconds in middle.items():
        ratio = seconds / middle["comanda"]
        print(f"{name:8} {seconds * 1e6:7.1f} us  {1 / seconds:8.0f} a second  {ratio:5.2f} x ours")
    ours = ("comanda", middle["comanda"] * 1e6)
    lines = [
        Finding(
            what="a token verified: CPU",
            this=ours,
            other=(name, seconds * 1e6),
            unit="us",
            at_most=1.0,
        )
        for name, seconds in middle.items()
        if name != "comanda"
    ]
    return 0 if tell(lines) else 1


def _ours(key: rsa.RSAPrivateKey) -> Callable[[str], object]:
    trusted = TrustedIssuer(issuer=ISSUER, jwks_url="unused", client_id=CLIENT, kind=Kind.CUSTOMER)
    document = {"keys": [peers.public_jwk(key)]}
    return TokenVerifier([trusted], clock=utc_now, fetch=lambda _: document).verify


def _token(key: rsa.RSAPrivateKey) -> str:
    now = int(time.time())
    claims: dict[str, Any] = {
        "sub": "8f0c0000-0000-4000-8000-000000000000",
        "iss": ISSUER,
        "client_id": CLIENT,
        "origin_jti": "8f0c0000-0000-4000-8000-000000000001",
        "event_id": "8f0c0000-0000-4000-8000-000000000002",
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "auth_time": now,
        "iat": now,
        "exp": now + 900,
        "jti": "8f0c0000-0000-4000-8000-000000000003",
        "username": "8f0c0000-0000-4000-8000-000000000004",
        "shop": "lanchonete-da-ana",
    }
    head = _b64(json.dumps({"kid": "k1", "alg": "RS256"}).encode())
    text = f"{head}.{_b64(json.dumps(claims).encode())}"
    return f"{text}.{_b64(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _fetch_pyjwt() -> None:
    """Put the peer that nothing of ours needs beside the measurement, on first use."""
    if not (PEERS / "jwt").exists():
        command = ["uv", "pip", "install", "-q", "--no-deps", "--target", str(PEERS), PYJWT]
        subprocess.run([str(Path(sys.executable).with_name("uv")), *command[1:]], check=True)
    sys.path.append(str(PEERS))


if __name__ == "__main__":
    sys.exit(main())
