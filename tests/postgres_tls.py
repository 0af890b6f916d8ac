"""TLS before a PostgreSQL that has none: what `sslmode=verify-full` asks of RDS, on a laptop."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "localhost"
_REQUEST_BYTES = 8


@dataclass(frozen=True, kw_only=True)
class Door:
    """Where the encrypted server is, and the file of certificates to trust it by."""

    port: int
    authority: Path


@contextmanager
def tls_before(port: int, folder: Path) -> Iterator[Door]:
    """Serve TLS as `localhost` in front of the server at `port`."""
    authority, certificate = _certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        asyncio.start_server(lambda r, w: _serve(r, w, context, port), "127.0.0.1", 0)
    )
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield Door(port=server.sockets[0].getsockname()[1], authority=authority)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(_end(server))
        loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    serving = asyncio.all_tasks() - {asyncio.current_task()}
    for task in serving:
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext, port: int
) -> None:
    # A client that refuses our certificate hangs up, which is no fault of the server's.
    with suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError):
        await reader.readexactly(_REQUEST_BYTES)  # SSLRequest
        writer.write(b"S")
        await writer.start_tls(context)
        to_server = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pipe(reader, to_server[1]), _pipe(to_server[0], writer))
    writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while content := await reader.read(65536):
        writer.write(content)
        await writer.drain()
    writer.close()


def _certificates(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    authority, both = folder / "authority.pem", folder / "server.pem"
    authority.write_bytes(public)
    both.write_bytes(public + private)
    return authority, both
