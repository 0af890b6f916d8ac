"""Serve ministack on 127.0.0.1 with what the laptop needs of it; run by ministack's own Python.

`serve.py --port PORT --data FOLDER`. Whatever is acknowledged survives a SIGKILL.
"""

import argparse
import os
import shutil
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

SERVICES = ("dynamodb", "cognito-idp", "secretsmanager", "ses", "lambda", "iam", "sts", "s3")


def main() -> None:
    """Read the arguments, restore, and serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    _configure(arguments.port, arguments.data)
    # Run by its path, a script finds only its own folder.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    import uvloop

    # Nothing waits in memory, so stopping at once loses nothing and takes no time.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    uvloop.run(_serve(arguments.port, arguments.data))


def _configure(port: int, data: Path) -> None:
    scratch = data.resolve() / "scratch"
    # Unpacked functions; a SIGKILL leaves them, and the next start clears them away.
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    # ministack reads its environment while it is imported, so this comes first.
    os.environ |= {
        "TMPDIR": str(scratch),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SERVICES": ",".join(SERVICES),
        "MINISTACK_REGION": os.environ.get("AWS_DEFAULT_REGION", "sa-east-1"),
        # Its MQTT and SFTP doors would listen on ports of the whole machine.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(data.resolve()),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(data.resolve() / "objects"),
        "LOG_LEVEL": "WARNING",
    }


async def _serve(port: int, data: Path) -> None:
    import uvicorn
    from ministack import app

    from comanda.garbage import collect_seldom
    from local.ministack import functions, lean
    from local.ministack.door import DynamoDoor
    from local.ministack.mailbox import Mailbox
    from local.ministack.services import SAVED, saved_after_each_change
    from local.ministack.tables import DurableTables

    tables = DurableTables(data / "dynamodb")
    tables.install()
    lean.install()
    functions.install()
    # Its tables are restored from the journal, which knows more than a state file.
    app._state_map.pop("dynamodb")  # noqa: SLF001
    app.SERVICE_HANDLERS["dynamodb"] = tables.handle
    for name in SAVED:
        handler = app.SERVICE_HANDLERS[name]
        app.SERVICE_HANDLERS[name] = saved_after_each_change(name, handler=handler)
    config = uvicorn.Config(
        DynamoDoor(Mailbox(app.app), handle=tables.handle),
        host="127.0.0.1",
        port=port,
        http="httptools",
        ws="none",
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
    )

    class Server(uvicorn.Server):
        def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
            # Its own signal handlers would wait for requests under way; `main` has a quicker one.
            return nullcontext()

    collect_seldom()
    await Server(config).serve()


if __name__ == "__main__":
    main()
