"""Multipart and form bodies, in and out."""

from ._version import __version__

__all__ = ("__version__",)
