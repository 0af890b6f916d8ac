"""`comanda` as people type it: from any folder, by any name of its file, with the Tab key."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.bus_server import ROOT

COMMAND = ROOT / "bin" / "comanda"


def typed(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COMANDA_")}
    return subprocess.run(
        words,
        cwd=folder,
        env={**kept, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_works_in_any_folder_and_by_a_link(tmp_path: Path) -> None:
    link = tmp_path / "comanda"
    link.symlink_to(COMMAND)

    told = typed(str(link), "--help", folder=tmp_path)
    lost = typed(str(link), "doctor", folder=tmp_path, COMANDA_ROOT=str(tmp_path))

    assert (told.returncode, "Comanda for operators" in told.stdout) == (0, True)
    assert (lost.returncode, "make run" in lost.stderr) == (2, True)


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("comanda dl", {"dlq"}),
        ("comanda dlq re", {"redrive"}),
        ("comanda audit l", {"log"}),
    ],
)
def test_bash_completes_commands_and_their_verbs(
    tmp_path: Path, line: str, offers: set[str]
) -> None:
    words = line.split(" ")
    asking = (
        f"source <({COMMAND} completion bash)\n"
        f"COMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}\n"
        f"_comanda_completion {COMMAND}\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )

    said = typed("bash", "-c", asking, folder=tmp_path)

    assert set(said.stdout.split()) == offers, said.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_get_a_script_that_asks_the_command(tmp_path: Path, shell: str) -> None:
    said = typed(str(COMMAND), "completion", shell, folder=tmp_path)

    assert (said.returncode, f"_COMANDA_COMPLETE=complete_{shell}" in said.stdout) == (0, True)
