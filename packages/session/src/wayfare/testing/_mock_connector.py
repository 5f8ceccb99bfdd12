"""`MockConnector`: a session's network that answers as it was told to, and keeps what it was asked."""

import sys
from typing import Any, final

from ._memory_connector import MemoryConnector
from ._mock_book import Mock

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("MockConnector",)


@final
class MockConnector(Mock, MemoryConnector):
    """A connector for tests: give it to a session as `connector=`, say what is expected, and look at what came.

        mock = MockConnector()
        mock.get("https://api.example/users", query={"page": 2}).reply(json=["ada"])
        async with ClientSession(connector=mock) as session: ...

    Nothing is patched: the session is a real one, with its redirects, cookies, timeouts and middlewares, and what it
    sends is HTTP. A request gets its reply from the first expectation that fits and is not used up. One that none fits
    raises `UnexpectedRequestError`.

    When it is closed, as a session does with the connector that it owns, it verifies that all that was expected came,
    unless an exception is on its way already. `options` are those of `BaseConnector`.
    """

    def __init__(self, **options: Any) -> None:
        Mock.__init__(self)
        MemoryConnector.__init__(self, self.answer, **options)

    @override
    async def close(self, *, abort_ssl: bool = False) -> None:
        """Close, then `verify`, unless an exception is on its way; see `BaseConnector`.

        Raises: `UnmetExpectationsError`, once everything is closed.
        Cancellation: what is still open is aborted.
        """
        verified = self.closed or sys.exc_info()[1] is not None
        await super().close(abort_ssl=abort_ssl)
        if not verified:
            self.verify()
