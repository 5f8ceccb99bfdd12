"""Telling an error which request it ended, and how far that had come.

The layers below know no URL, and whoever reads a log knows no connection: the two meet here. The error gets it as data
(`error.failure`) and as a note, which tracebacks show below the message.
"""

from collections.abc import Sequence

from wayfare_http_core import ClientError, ClientResponseError, Connection, RequestFailure

from ._errors import TotalTimeoutError
from ._request import ClientRequest

__all__ = ("complete_failure", "failure_of", "note_content_failure", "note_failure")


def note_failure(
    error: BaseException, request: ClientRequest, connection: Connection | None, phase: str = ""
) -> None:
    """Keep with the error how far its exchange came; None for a connection says that there was none yet.

    Also with a CancelledError: a deadline may turn it into an error of its own, which refers to it as its cause.
    """
    if isinstance(error, ClientResponseError) and error.request_info is None:
        error.request_info = request.request_info
    if failure_of(error) is not None:
        return
    failure = RequestFailure(
        request.method, (str(request.real_url),), phase or "connecting", request.attempt
    )
    if connection is not None:
        failure = failure._replace(
            phase=phase or _phase(connection),
            reused=connection.exchanges_started > 1,
            request_started=connection.request_started,
            response_started=connection.response_started,
        )
    error.failure = failure  # type: ignore[attr-defined]  # a CancelledError has no such field by nature


def failure_of(error: BaseException | None) -> RequestFailure | None:
    """What was noted with an error."""
    failure = getattr(error, "failure", None)
    return failure if isinstance(failure, RequestFailure) else None


def complete_failure(
    error: ClientError | TotalTimeoutError,
    request: ClientRequest,
    hops: Sequence[str],
    elapsed: float,
) -> None:
    """Add what only the whole journey knows: the URLs before, the seconds since the beginning."""
    failure = failure_of(error) or failure_of(error.__cause__)
    if failure is None:
        where = (str(request.real_url),)
        failure = RequestFailure(request.method, where, "between exchanges", request.attempt)
    elif failure.elapsed is not None:
        return
    urls = (*hops, *failure.urls)
    error.failure = failure._replace(urls=urls, elapsed=elapsed)
    which = "" if failure.attempt == 1 else f", attempt {failure.attempt}"
    error.add_note(
        f"{failure.method} {' -> '.join(urls)}: {failure.phase}{which}, after {elapsed:.3f} s"
    )


def note_content_failure(error: BaseException, request: ClientRequest, hops: Sequence[str]) -> None:
    """Say in an error which response's content it broke. Once: a stream raises the same one at every read."""
    if isinstance(error, ClientError | TotalTimeoutError) and error.failure is None:
        urls = (*hops, str(request.real_url))
        error.failure = RequestFailure(request.method, urls, "reading the content")
        error.add_note(f"{request.method} {' -> '.join(urls)}: reading the content")


def _phase(connection: Connection) -> str:
    if connection.response_started:
        return "receiving the response"
    return "waiting for the response" if connection.request_started else "sending the request"
