"""Start many processes in order, keep them up, and leave none behind."""

from local.supervisor.parts import SystemFailed
from local.supervisor.run import Options, System, running_system

__all__ = ["Options", "System", "SystemFailed", "running_system"]
