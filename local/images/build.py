"""Build the image of the pods with buildah, on `BASE_IMAGE` or on a base made of Debian."""

import os
import sys
from pathlib import Path

from local.images.engine import BASE, IMAGE, REPOSITORY, STATE, need, run

_PACKAGES = "python3,python3-venv,ca-certificates"


def build() -> str:
    """Build, and give the image's digest; raise `Skipped`."""
    need("buildah")
    STATE.mkdir(parents=True, exist_ok=True)
    base = os.environ.get("BASE_IMAGE") or _own_base()
    wheels = _wheels() if base == BASE else None
    arguments = ["--build-arg", f"BASE_IMAGE={base}"]
    if wheels is not None:
        arguments += ["--build-arg", "WHEELS=/wheels", "--volume", f"{wheels}:/wheels:ro"]
    file = REPOSITORY / "images" / "workers" / "Dockerfile"
    run("buildah", "bud", "--tag", IMAGE, "--file", str(file), *arguments, str(REPOSITORY))
    return run("buildah", "inspect", "--format", "{{.FromImageDigest}}", IMAGE).stdout.strip()


def _own_base() -> str:
    """Make a base of Debian's packages, for no image can be pulled without a network."""
    if run("buildah", "inspect", "--type", "image", BASE, may_fail=True).returncode == 0:
        return BASE
    need("mmdebstrap")
    root = STATE / "base.tar"
    run("mmdebstrap", "--variant=minbase", f"--include={_PACKAGES}", "bookworm", str(root))
    container = run("buildah", "from", "scratch").stdout.strip()
    run("buildah", "add", container, str(root), "/")
    run("buildah", "commit", "--rm", container, BASE)
    root.unlink()
    return BASE


def _wheels() -> Path:
    """Fetch the wheels here: inside the build there is no registry that this machine trusts."""
    folder = STATE / "wheels"
    locked = str(REPOSITORY / "requirements-pods.txt")
    # Debian 12 has Python 3.11, whatever runs this.
    wanted = ["--only-binary", ":all:", "--python-version", "3.11", "--require-hashes"]
    run(sys.executable, "-m", "pip", "download", "-q", *wanted, "-r", locked, "-d", str(folder))
    return folder
