"""The cookie jars of the Wayfare HTTP client, for any client."""

from ._version import __version__

__all__ = ("__version__",)
