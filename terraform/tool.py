"""Find Terraform and the AWS provider, and run Terraform in one root with one stage's values.

The provider is taken from a filesystem mirror when there is one, and from the registry otherwise.
A mirror is a folder that holds `registry.terraform.io/hashicorp/aws/<version>/<platform>`.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
REPOSITORY = FOLDER.parent
WORK = REPOSITORY / ".comanda" / "terraform"
# One state for each blast radius, in the order in which each finds what it needs.
ROOTS = (
    "bootstrap",
    "network",
    "security",
    "data",
    "messaging",
    "identity",
    "cluster",
    "edge",
    "observability",
)
_PROVIDER = "registry.terraform.io/hashicorp/aws"
# Terraform's own implied mirrors, and where images of CI put software of others.
_MIRRORS = ("~/.terraform.d/plugins", "/usr/local/share/terraform/plugins", "/opt/*")


class TerraformFailed(Exception):
    """A command of Terraform's ended with an error; the message holds what it wrote."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Terraform:
    """The program, and where it finds the provider: in `mirror`, or in the registry.

    `data` is where it remembers backends; a check, a stage and a rehearsal must not share one.
    """

    program: str
    mirror: Path | None
    data: Path = WORK / "checks"

    def run(
        self,
        root: Path,
        words: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        is_shown: bool = False,
    ) -> str:
        """Run in `root` and give the output; raise `TerraformFailed`.

        `is_shown` leaves input and output to the terminal, and then gives nothing.
        """
        shown = {} if is_shown else {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        run = subprocess.run(
            (self.program, *words),
            cwd=root,
            env={**self._environment(root), **(environment or {})},
            text=True,
            check=False,
            **shown,  # type: ignore[call-overload]
        )
        if run.returncode:
            raise TerraformFailed(f"terraform {words[0]} in {root.name}:\n{run.stdout or ''}")
        return str(run.stdout or "")

    def _environment(self, root: Path) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if k != "TF_CLI_CONFIG_FILE"}
        given = os.environ.get("TF_CLI_CONFIG_FILE", "")
        if self.mirror is not None:
            inherited["TF_CLI_CONFIG_FILE"] = str(_configuration(self.mirror))
        elif given and Path(given).exists():
            inherited["TF_CLI_CONFIG_FILE"] = given
        data = self.data / root.name
        data.mkdir(parents=True, exist_ok=True)
        return {**inherited, "TF_DATA_DIR": str(data), "TF_IN_AUTOMATION": "1", "NO_COLOR": "1"}


def find_terraform() -> Terraform | None:
    """Look for the program on the path and for a mirror in the usual places."""
    program = shutil.which("terraform")
    return Terraform(program=program, mirror=_find_mirror()) if program else None


def stage_values(stage: str) -> dict[str, Any]:
    """Read the values of a stage; raise `TerraformFailed` when it has none."""
    file = FOLDER / "stages" / f"{stage}.json"
    if not file.exists():
        raise TerraformFailed(f"no stage {stage}: write terraform/stages/{stage}.json first")
    values: dict[str, Any] = json.loads(file.read_text())
    return {"stage": stage, **values}


def variables(values: Mapping[str, Any]) -> dict[str, str]:
    """Give values as `TF_VAR_…`, of which a root takes those that it declares."""
    return {
        f"TF_VAR_{name}": value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }


def _find_mirror() -> Path | None:
    given = os.environ.get("COMANDA_TERRAFORM_MIRROR")
    for pattern in (given,) if given else _MIRRORS:
        expanded = Path(pattern).expanduser()
        for folder in sorted(Path(expanded.anchor).glob(str(expanded.relative_to("/")))):
            if (folder / _PROVIDER).is_dir():
                return folder
    return None


def _configuration(mirror: Path) -> Path:
    file = WORK / "mirror.tfrc"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n'
    # Several checks run at once, and each may read while another writes.
    if not file.exists() or file.read_text() != text:
        half = file.with_suffix(f".{os.getpid()}")
        half.write_text(text)
        half.replace(file)
    return file
