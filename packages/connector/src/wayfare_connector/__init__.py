"""From a target to a live connection: dialling, TLS and the pool."""

from ._version import __version__

__all__ = ("__version__",)
