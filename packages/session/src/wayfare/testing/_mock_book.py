"""`Mock`: what a mock expects and answers, wherever its requests come from."""

import asyncio
import sys
from collections.abc import AsyncIterable, Awaitable, Iterable, Mapping
from json import dumps
from typing import Any, final

from ._calls import MockCall, MockReply, MockUpgrade
from ._expectations import Criteria, Expectation, URLPattern, listed
from ._incoming import IncomingRequest
from ._responder import Fields, Responder

if sys.version_info >= (3, 12):
    from typing import Unpack
else:
    from typing_extensions import Unpack

__all__ = ("Mock", "UnexpectedRequestError", "UnmetExpectationsError")


@final
class UnexpectedRequestError(AssertionError):
    """A request came that no expectation is for. Its message lists them, each with what does not fit."""


@final
class UnmetExpectationsError(AssertionError):
    """Requests that were expected did not come, or others came that were not."""


class Mock:
    """Expectations, and the requests that came: the part that `MockConnector` and `MockServer` have in common."""

    def __init__(self) -> None:
        self.calls: list[MockCall] = []
        """All requests that came, in order."""
        self._expectations: list[Expectation] = []
        self._unexpected: list[MockCall] = []
        self._errors: list[Exception] = []

    # -- expectations -------------------------------------------------------------------------------------------------

    def expect(self, method: str, url: URLPattern, **criteria: Unpack[Criteria]) -> Expectation:
        """Expect a request, and say of what is returned what it gets.

        `url` is absolute, or a path alone for any host; a query in it must be the request's, parameter by parameter. A
        pattern is searched for in the URL; a function says. The other arguments stand in `Criteria`.

        Raises: TypeError, ValueError for what no request could fit.
        """
        expectation = Expectation(method, url, criteria)
        self._expectations.append(expectation)
        return expectation

    def get(self, url: URLPattern, **criteria: Unpack[Criteria]) -> Expectation:
        """Expect a GET request; see `expect`."""
        return self.expect("GET", url, **criteria)

    def head(self, url: URLPattern, **criteria: Unpack[Criteria]) -> Expectation:
        """Expect a HEAD request; see `expect`."""
        return self.expect("HEAD", url, **criteria)

    def options(self, url: URLPattern, **criteria: Unpack[Criteria]) -> Expectation:
        """Expect an OPTIONS request; see `expect`."""
        return self.expect("OPTIONS", url, **criteria)

    def post(self, url: URLPattern, **criteria: Unpack[Criteria]) -> Expectation:
        """Expect a POST request; see `expect`."""
        return self.expect("POST", url, **criteria)

    def put(self, url: URLPattern, **criteria: Unpack[Criteria]) -> Expectation:
        """Expect a PUT request; see `expect`."""
        return self.expect("PUT", url, **criteria)

    def patch(self, url: URLPattern, **criteria: Unpack[Criteria]) -> Expectation:
        """Expect a PATCH request; see `expect`."""
        return self.expect("PATCH", url, **criteria)

    def delete(self, url: URLPattern, **criteria: Unpack[Criteria]) -> Expectation:
        """Expect a DELETE request; see `expect`."""
        return self.expect("DELETE", url, **criteria)

    def verify(self) -> None:
        """Check that all that was expected came, and nothing else, and that no function failed where nobody heard it.

        Raises: `UnmetExpectationsError`, which lists both, or what the first function raised.
        """
        if self._errors:
            raise self._errors[0]
        missing = [str(one) for one in self._expectations if one.missing]
        parts = []
        if missing:
            parts.append(f"expected and not asked for:{listed(missing)}")
        if self._unexpected:
            others = [f"{call.method} {call.url}" for call in self._unexpected]
            parts.append(f"asked for and not expected:{listed(others)}")
        if parts:
            raise UnmetExpectationsError("\n".join(parts))

    def reset(self) -> None:
        """Forget all expectations, calls and errors."""
        self._errors.clear()
        self.calls.clear()
        self._expectations.clear()
        self._unexpected.clear()

    # -- answers ------------------------------------------------------------------------------------------------------

    async def answer(self, request: IncomingRequest, responder: Responder) -> None:
        """Answer a request as it was said.

        Raises: `UnexpectedRequestError`, and what was asked for.
        Cancellation: some, all or none of the response was sent.
        """
        call = MockCall(request.method, request.url, request.headers, await request.read())
        self.calls.append(call)
        answer: Any = self._expectation_for(call).take(call)
        if isinstance(answer, Exception | type):
            self._fail(answer, responder)
            return
        if isinstance(answer, MockUpgrade):
            try:
                await upgrade(answer, call, responder)
            except Exception as exc:
                # HTTP is over, so there is no request to raise it from.
                self._errors.append(exc)
            return
        if not isinstance(answer, MockReply):
            answer = answer(call)
            if isinstance(answer, Awaitable):
                answer = await answer
            if not isinstance(answer, MockReply):
                raise TypeError(f"a function must make a MockReply, not {answer!r:.100}")
        await send_reply(answer, responder)

    def _fail(self, error: Exception | type[Exception], responder: Responder) -> None:
        """Do what `Expectation.fail` asked for."""
        raise error

    def _expectation_for(self, call: MockCall) -> Expectation:
        reasons = []
        for expectation in self._expectations:
            reason = expectation.mismatch(call)
            if reason is None and not expectation.is_used_up:
                return expectation
            reasons.append(f"{expectation}: {reason or 'it is used up'}")
        self._unexpected.append(call)
        raise UnexpectedRequestError(
            f"unexpected request: {call.method} {call.url}\nexpected are:{listed(reasons)}"
        )


async def upgrade(how: MockUpgrade, call: MockCall, responder: Responder) -> None:
    """End HTTP on the connection and let the function go on with it.

    Raises: what it raises.
    Cancellation: the connection is closed.
    """
    reader, writer = responder.upgrade(_pairs(how.headers))
    try:
        await how.function(call, reader, writer)
    finally:
        writer.close()


async def send_reply(reply: MockReply, responder: Responder) -> None:
    """Answer a request with a reply.

    Raises: ValueError for what cannot be sent; what the content's iterator raises.
    Cancellation: some, all or none of it was sent.
    """
    if reply.delay:
        await asyncio.sleep(reply.delay)
    for status, fields in reply.informational:
        responder.inform(status, _pairs(fields))
    content, media_type = _content(reply)
    own = _pairs(reply.headers)
    names = {name.lower() for name, _ in own}
    if media_type is not None and "content-type" not in names:
        own.append(("Content-Type", media_type))
    trailers = _pairs(reply.trailers)
    if isinstance(content, bytes) and "content-length" not in names and not trailers:
        own.append(("Content-Length", str(len(content))))
    responder.start(reply.status, own, reply.reason)
    if isinstance(content, bytes):
        await responder.write(content)
    elif isinstance(content, AsyncIterable):
        async for piece in content:
            await responder.write(piece)
    else:
        for piece in content:
            await responder.write(piece)
    responder.end(trailers)


def _content(
    reply: MockReply,
) -> tuple[bytes | Iterable[bytes] | AsyncIterable[bytes], str | None]:
    if reply.json is not None:
        return dumps(reply.json).encode("utf-8"), "application/json"
    body = reply.body
    if isinstance(body, str):
        return body.encode("utf-8"), "text/plain; charset=utf-8"
    if callable(body):
        return body(), None
    return body, None


def _pairs(fields: Mapping[str, str] | Fields) -> list[tuple[str, str]]:
    return list(fields.items() if isinstance(fields, Mapping) else fields)
