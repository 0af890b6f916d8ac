"""What layers tell each other: parameters of Systems Manager under `/comanda/<stage>/`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class NotApplied(Exception):
    """A layer that this needs has not been applied to the stage yet."""


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """The parameters of one stage, by the rest of their names, such as `data/orders_table`."""

    stage: str
    values: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        """Give a value; raise `NotApplied` with the layer that would make it."""
        try:
            return self.values[name]
        except KeyError as exc:
            layer = name.partition("/")[0]
            raise NotApplied(f"{name} is not known in {self.stage}: apply {layer} first") from exc

    def get(self, name: str, default: str = "") -> str:
        """Give a value that may not be there yet."""
        return self.values.get(name, default)


def read_addresses(ssm: Any, *, stage: str) -> Addresses:
    """Read all parameters of a stage."""
    prefix = f"/comanda/{stage}/"
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=prefix, Recursive=True)
    found = {
        it["Name"].removeprefix(prefix): it["Value"] for page in pages for it in page["Parameters"]
    }
    return Addresses(stage=stage, values=found)


def note(ssm: Any, *, stage: str, values: Mapping[str, str]) -> None:
    """Write parameters, over those that are there."""
    for name, value in values.items():
        ssm.put_parameter(
            Name=f"/comanda/{stage}/{name}", Value=value, Type="String", Overwrite=True
        )


def forget(ssm: Any, *, stage: str, names: tuple[str, ...]) -> None:
    """Remove parameters; those that are not there are no matter."""
    for name in names:
        try:
            ssm.delete_parameter(Name=f"/comanda/{stage}/{name}")
        except ssm.exceptions.ParameterNotFound:
            continue
