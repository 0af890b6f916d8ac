"""SNS, Secrets Manager and a key set that answer at once: a benchmark measures the caller."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

SECRET = "local-sim-secret-0123456789abcdef"  # noqa: S105  # It opens nothing.
_PUBLISHED = (
    b'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
    b"<MessageId>1</MessageId></PublishResult><ResponseMetadata><RequestId>1</RequestId>"
    b"</ResponseMetadata></PublishResponse>"
)


@contextmanager
def aws_stub(jwks: dict[str, Any]) -> Iterator[str]:
    """Serve until the end of the block; give the address."""
    secret = json.dumps({"webhook_secrets": [SECRET]})
    answers = {"GET": json.dumps(jwks).encode(), "sns": _PUBLISHED}
    answers["vault"] = json.dumps({"Name": "n", "SecretString": secret}).encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer(answers["GET"])

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self._answer(answers["vault" if self.headers.get("x-amz-target") else "sns"])

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
