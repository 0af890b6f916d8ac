"""The edge meets the rest of Comanda only in the package `comanda`."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAMBDAS = ("auth_lambda", "webhooks_lambda")
FORBIDDEN = {"workers", "local", "console", "benchmarks", "tests"}


def imported_roots(file: Path) -> set[str]:
    roots: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            roots.add(node.module.split(".")[0])
    return roots


def sources(app: str) -> list[Path]:
    folder = ROOT / app
    return [folder / "app.py", *sorted((folder / "chalicelib").rglob("*.py"))]


@pytest.mark.parametrize("app", LAMBDAS)
def test_a_lambda_imports_neither_workers_nor_the_laptop(app: str) -> None:
    found = {file.name: imported_roots(file) & FORBIDDEN for file in sources(app)}

    assert {name: roots for name, roots in found.items() if roots} == {}


@pytest.mark.parametrize("app", LAMBDAS)
def test_the_shared_package_is_a_relative_link(app: str) -> None:
    link = ROOT / app / "vendor" / "comanda"

    assert link.is_symlink()
    assert str(link.readlink()) == "../../comanda"


def test_nothing_else_imports_a_lambda() -> None:
    folders = ("comanda", "workers", "local")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]

    guilty = [file.name for file in files if imported_roots(file) & {*LAMBDAS, "chalicelib"}]

    assert guilty == []
