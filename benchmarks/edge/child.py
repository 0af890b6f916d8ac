"""One cold start, in a fresh interpreter: load a function, serve its first request, tell when.

Two lines leave: the monotonic clock when the function was loaded, and when it had answered. What
is asked for comes in the environment, for importing a parser of arguments would count as well.
"""

import os
import sys
import time

sys.path[:0] = os.environ["CHILD_PATH"].split(":")


def _bare(_event, _context):  # type: ignore[no-untyped-def]
    return {"statusCode": 200, "body": sys.modules["json"].dumps({})}


def _token(_event, _context):  # type: ignore[no-untyped-def]
    from comanda.identity.settings import IdentitySettings, verifier_from
    from comanda.settings import read

    verifier_from(read(IdentitySettings)).verify(os.environ["CHILD_TOKEN"])
    return {"statusCode": 200}


def _usual_token(_event, _context):  # type: ignore[no-untyped-def]
    sys.modules["app"].verify(os.environ["CHILD_TOKEN"])
    return {"statusCode": 200}


kind = os.environ["CHILD_KIND"]
if kind == "bare":
    # No handler does without these two.
    import json

    handler = _bare
else:
    import app

    handler = {"app": app.app, "token": _token, "usual_token": _usual_token}[kind]
loaded = time.monotonic()
with open(os.environ["CHILD_EVENT"]) as file:  # noqa: PTH123  # pathlib is not free.
    text = file.read()
import json  # noqa: E402

event = json.loads(text)
began = time.monotonic()
answer = handler(event, None)
answered = time.monotonic()
if answer["statusCode"] != 200:
    sys.exit(f"answered {answer}")
print(loaded, began, answered)
