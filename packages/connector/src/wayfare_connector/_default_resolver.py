"""`DefaultResolver`: the quickest resolver that is installed."""

from importlib import import_module
from typing import TYPE_CHECKING

from ._async_resolver import AsyncResolver
from ._resolver import AbstractResolver, ThreadedResolver

if TYPE_CHECKING:
    DefaultResolver: type[AbstractResolver]
    """The quickest resolver that is installed: `AsyncResolver` where aiodns is there, else `ThreadedResolver`."""

__all__ = ("DefaultResolver",)

try:
    import_module("aiodns")
except ImportError:
    DefaultResolver = ThreadedResolver
else:
    DefaultResolver = AsyncResolver
