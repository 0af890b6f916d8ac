"""Every Terraform root has the same rooms, the same provider, and says what its values are."""

import re

import pytest

from terraform.tool import FOLDER, ROOTS

QUARTET = ("main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md")


def block(text: str, kind: str) -> list[str]:
    """Give the bodies of all blocks of a kind that begin a line."""
    return re.findall(rf'^{kind} "[^"]+" {{\n(.*?)^}}', text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("root", ROOTS)
def test_a_root_has_its_rooms_and_a_test(root: str) -> None:
    missing = [name for name in QUARTET if not (FOLDER / root / name).exists()]

    assert missing == []
    assert (FOLDER / root / "tests" / f"{root}.tftest.hcl").exists()


@pytest.mark.parametrize("root", ROOTS)
def test_every_value_has_a_description_and_every_variable_a_type(root: str) -> None:
    variables = block((FOLDER / root / "variables.tf").read_text(), "variable")
    outputs = block((FOLDER / root / "outputs.tf").read_text(), "output")

    assert variables
    assert outputs
    assert all("description" in it and re.search(r"^  type ", it, re.MULTILINE) for it in variables)
    assert all("description" in it for it in outputs)


@pytest.mark.parametrize("root", ROOTS)
def test_the_provider_is_locked_for_linux_and_darwin_and_the_state_by_s3(root: str) -> None:
    lock = (FOLDER / root / ".terraform.lock.hcl").read_text()
    versions = (FOLDER / root / "versions.tf").read_text()

    assert lock == (FOLDER / ROOTS[0] / ".terraform.lock.hcl").read_text()
    assert len(re.findall(r'"h1:', lock)) == 2
    assert '"~> 5.100"' in versions
    assert "use_lockfile = true" in versions
    assert f'key          = "{root}.tfstate"' in versions


@pytest.mark.parametrize("root", ROOTS)
def test_layers_meet_in_parameters_and_never_in_each_others_state(root: str) -> None:
    text = "".join(file.read_text() for file in (FOLDER / root).glob("*.tf"))

    assert "terraform_remote_state" not in text
    assert "dynamodb_table " not in text.partition("provider ")[0]


def test_no_root_names_an_account() -> None:
    texts = {file: file.read_text() for file in FOLDER.rglob("*.tf")}

    assert [str(file) for file, text in texts.items() if re.search(r"\b\d{12}\b", text)] == []


def test_every_parameter_that_a_layer_reads_is_written_by_an_earlier_one() -> None:
    for number, root in enumerate(ROOTS):
        text = "".join(file.read_text() for file in (FOLDER / root).glob("*.tf"))
        read = set(re.findall(r'name\s*= "/comanda/\$\{var\.stage\}/([a-z]+)/', text))
        # Chalice stands between two layers, and tells what it made in the same way.
        assert read - {"chalice"} <= set(ROOTS[:number]), root
