"""The SSL contexts used where the caller brings none.

Loading the system's certificates takes tens of milliseconds and megabytes, so it happens once per
process, when it is first needed, and not on the event loop. The contexts are shared: nobody may
change one after it is made.
"""

import asyncio
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

__all__ = ("default_context", "get_default_context", "unverified_context")

_HTTP_1_1 = ("http/1.1",)

_lock = threading.Lock()
_contexts: dict[tuple[bool, tuple[str, ...]], Future[ssl.SSLContext]] = {}


def default_context(alpn: tuple[str, ...] = _HTTP_1_1) -> ssl.SSLContext:
    """The context that verifies: the system's authorities, the host name, TLS 1.2 or newer; made
    once and shared.

    alpn: the protocols to offer, best first. The first call per alpn blocks while certificates are
        loaded; on an event loop use `get_default_context`.

    Raises: OSError when the system's certificates can't be loaded; the next call tries again.
    """
    return _shared((True, alpn), partial(_verifying, alpn))


def unverified_context(alpn: tuple[str, ...] = _HTTP_1_1) -> ssl.SSLContext:
    """The context for `ssl=False`: encrypts, but accepts any certificate of any host; made once and
    shared.

    It loads no certificates and is quick to make.
    """
    return _shared((False, alpn), partial(_unverifying, alpn))


async def get_default_context(alpn: tuple[str, ...] = _HTTP_1_1) -> ssl.SSLContext:
    """`default_context` without blocking the event loop: the first call makes it in a thread,
    others wait for that one.

    The thread is its own, because the loop's executor may be full of name lookups that hang.

    Raises: OSError, as `default_context` does.
    Cancellation: safe; the context is still made, and kept for the next caller.
    """
    promise, first = _claim((True, alpn))
    if first:
        work = partial(_fulfil, (True, alpn), promise, partial(_verifying, alpn))
        try:
            threading.Thread(target=work, name="wayfare-certificates", daemon=True).start()
        except RuntimeError:  # No thread to be had: a short pause is better than no connection.
            work()
    if promise.done():
        return promise.result()
    return await asyncio.wrap_future(promise)


def _verifying(alpn: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # RFC 9525 section 2: the common name is not an identity, even where the certificate has no
    # other.
    context.hostname_checks_common_name = False
    context.set_alpn_protocols(list(alpn))
    return context


def _unverifying(alpn: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(list(alpn))
    return context


def _shared(
    key: tuple[bool, tuple[str, ...]], make: Callable[[], ssl.SSLContext]
) -> ssl.SSLContext:
    promise, first = _claim(key)
    if first:
        _fulfil(key, promise, make)
    return promise.result()


def _claim(key: tuple[bool, tuple[str, ...]]) -> tuple[Future[ssl.SSLContext], bool]:
    """The promise for a context, and whether the caller is the one who has to fulfil it."""
    with _lock:
        promise = _contexts.get(key)
        if promise is not None:
            return promise, False
        promise = _contexts[key] = Future()
        # A running future can't be cancelled: one waiter that gives up must not take it from the
        # others.
        promise.set_running_or_notify_cancel()
        return promise, True


def _fulfil(
    key: tuple[bool, tuple[str, ...]],
    promise: Future[ssl.SSLContext],
    make: Callable[[], ssl.SSLContext],
) -> None:
    """Make the context, or tell all waiters why not and forget the attempt."""
    try:
        context = make()
    except BaseException as exc:
        with _lock:
            del _contexts[key]
        promise.set_exception(exc)
    else:
        promise.set_result(context)
