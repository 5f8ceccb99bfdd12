"""How a request is carried out: what a session decides once, and a request may decide for itself."""

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from wayfare_http_core import (
    DEFAULT_EXCHANGE_OPTIONS,
    ExchangeOptions,
    HeadLimits,
    HttpVersion,
    HttpVersion11,
)

from ._timeout import ClientTimeout

if TYPE_CHECKING:
    from wayfare_http_core import ZlibBackend
    from wayfare_multipart import PayloadRegistry

    from ._middlewares import ClientMiddlewareType
    from ._options import RaiseForStatus
    from ._redirects import RedirectPolicy
    from ._response import CharsetResolver
    from ._tracing import RequestTrace, TracePlan
    from ._upload_tracker import UploadWatch

__all__ = ("LEADING_ON", "RequestSettings", "exchange_options", "with_sizes")

LEADING_ON: Final = frozenset((301, 302, 303, 307, 308, 417))
"""Statuses of responses that may be answered by another request: redirects, and Expect refused."""


class RequestSettings(NamedTuple):
    """A session has one of these; a request that says something of its own gets another with `_replace`."""

    exchange: ExchangeOptions = DEFAULT_EXCHANGE_OPTIONS
    auto_decompress: bool = True
    raise_for_status: "RaiseForStatus" = False
    allow_redirects: bool = True
    max_redirects: int = 10
    redirect_policy: "RedirectPolicy | None" = None
    """What decides about each redirect; None for the usual rules."""
    sensitive_headers: frozenset[str] = frozenset()
    """Names of fields, in lower case, that must not reach another origin, beside those that are known."""
    requote_redirect_url: bool = True
    version: HttpVersion = HttpVersion11
    read_until_eof: bool = True
    max_body_size: int | None = None
    """Octets of content, after decoding; None for no limit."""
    bounded: bool = False
    """Whether one of these two says something: one question for most requests."""
    retry_stale: bool = True
    middlewares: "tuple[ClientMiddlewareType, ...]" = ()
    payload_registry: "PayloadRegistry | None" = None
    """What knows how values are sent; None for the usual registry."""
    zlib_backend: "ZlibBackend | None" = None
    """What undoes and applies gzip and deflate; None for what the process uses."""
    fallback_charset_resolver: "CharsetResolver | None" = None
    """What is asked for the encoding of text that does not say it; None for UTF-8."""
    skip_auto_headers: frozenset[str] = frozenset()
    """Names of fields, in lower case, that are not to be added of our own accord."""
    upload_watch: "UploadWatch | None" = None
    """Whom to tell how far the content of this one request has come."""
    trace_plan: "TracePlan | None" = None
    """Whom a session tells of its requests."""
    trace: "RequestTrace | None" = None
    """Whom to tell of this one request; every request of a session with a plan has its own."""


# Cached, because a connection looks closely at options that it has not seen before.
@lru_cache(maxsize=64)
def exchange_options(base: ExchangeOptions, timeout: ClientTimeout) -> ExchangeOptions:
    """The options of exchanges under a timeout; those that bound no time come from `base`."""
    return base._replace(
        read_timeout=timeout.sock_read,
        write_timeout=timeout.write,
        first_byte_timeout=timeout.first_byte,
    )


@lru_cache(maxsize=64)
def with_sizes(
    base: ExchangeOptions,
    read_bufsize: int | None,
    max_line_size: int | None,
    max_field_size: int | None,
    max_headers: int | None,
) -> ExchangeOptions:
    """The options with these sizes; None keeps the one of `base`."""
    old = base.limits
    line = max_line_size or old.start_line
    field = max_field_size or old.field_line
    limits = old._replace(
        start_line=line,
        field_line=field,
        fields=max_headers or old.fields,
        # A single field of the allowed size must fit.
        head=max(HeadLimits().head, line + 2 * field),
    )
    return base._replace(limits=limits, read_limit=read_bufsize or base.read_limit)
