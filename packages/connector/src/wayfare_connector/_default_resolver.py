"""`DefaultResolver`: the quickest resolver that is installed."""

from typing import TYPE_CHECKING

from ._resolver import AbstractResolver, ThreadedResolver

if TYPE_CHECKING:
    DefaultResolver: type[AbstractResolver]

__all__ = ("DefaultResolver",)

try:
    from ._async_resolver import AsyncResolver
except ImportError:
    DefaultResolver = ThreadedResolver
else:
    DefaultResolver = AsyncResolver
