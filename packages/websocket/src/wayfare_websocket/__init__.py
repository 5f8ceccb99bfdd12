"""The WebSocket protocol of the Wayfare HTTP client."""

from ._version import __version__

__all__ = ("__version__",)
