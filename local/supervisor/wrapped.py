"""A description around another: whoever changes the parts of a run leaves the rest as it is."""

from collections.abc import Mapping

from local.provision.context import StaffLogin
from local.supervisor.run import Description


class Wrapped:
    """Tell what the description inside tells; a subclass gives the parts."""

    def __init__(self, description: Description) -> None:
        self._description = description

    @property
    def urls(self) -> Mapping[str, str]:
        """Give the addresses by name, as they are without a change of parts."""
        return self._description.urls

    @property
    def environment(self) -> Mapping[str, str]:
        """Give what leads a process to the stand-ins."""
        return self._description.environment

    @property
    def staff(self) -> tuple[StaffLogin, ...]:
        """Give who can sign in as staff."""
        return self._description.staff

    def environment_of(self, name: str) -> Mapping[str, str]:
        """Give the variables of one process."""
        return self._description.environment_of(name)
