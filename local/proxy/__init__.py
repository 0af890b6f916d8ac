"""A network that can fail: TCP links on loopback, each between two parts of the laptop."""

from local.proxy.link import Link, Misdeed
from local.proxy.network import Network

__all__ = ["Link", "Misdeed", "Network"]
