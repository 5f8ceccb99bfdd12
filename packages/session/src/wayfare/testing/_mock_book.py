"""`Mock`: what a mock expects and answers, wherever its requests come from."""

import sys
from collections.abc import Awaitable
from typing import Any, final

from ._calls import MockCall, MockReply, MockUpgrade, MockWebSocket
from ._expectations import Criteria, Expectation, URLPattern, listed
from ._incoming import IncomingRequest
from ._mock_upgrades import leave_http
from ._replies import send_reply
from ._responder import Responder

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
        if isinstance(answer, MockUpgrade | MockWebSocket):
            try:
                await leave_http(answer, call, responder)
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
