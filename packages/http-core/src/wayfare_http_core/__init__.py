"""The HTTP/1.1 parser, writer and streams of the Wayfare HTTP client."""

from ._version import __version__

__all__ = ("__version__",)
