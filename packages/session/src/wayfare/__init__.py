"""An asyncio HTTP client made of small, composable packages."""

from ._version import __version__

__all__ = ("__version__",)
