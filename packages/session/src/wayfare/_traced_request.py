"""A request that somebody watches: its end, whichever it is, is told too."""

from ._errors import TotalTimeoutError
from ._journey import Journey
from ._pipeline import check_status
from ._response import ClientResponse
from ._tracing import RequestTrace
from ._tracing_exchange import LEAST_TIME

__all__ = ("run_traced",)


async def run_traced(journey: Journey, trace: RequestTrace) -> ClientResponse:
    """Let the request travel, and tell how that ended.

    Raises: as `ClientSession.request`; what a handler raises, also in place of the error that it was told.
    Cancellation: as `ClientSession.request`; handlers are told, and waited for within the total time, or
    for `LEAST_TIME` where that is more.
    """
    response: ClientResponse | None = None
    try:
        response = await journey.travel()
        check = journey.request.settings.raise_for_status
        if check is not False:
            await check_status(response, check)
        if trace.wants("on_request_end"):
            with journey.deadline():
                await trace.request_end(journey.request, response)
    except BaseException as exc:
        if response is not None:
            response.release()
        bound = journey.deadline(LEAST_TIME)
        try:
            with bound:
                await trace.request_exception(journey.request, exc)
        except TotalTimeoutError:
            # What the request failed with says more than that its telling took too long.
            if not bound.expired:
                raise
        raise
    return response
