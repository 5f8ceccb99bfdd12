"""`request`: one request by itself, with a session that lives as long as its response."""

from types import TracebackType
from typing import Any, final

from wayfare_connector import TCPConnector
from yarl import URL

from ._options import OLD_REQUEST_NAMES, OneRequestOptions, Unpack
from ._response import ClientResponse
from ._session import ClientSession

__all__ = ("OneRequestContext", "request")

_OF_SESSION = ("connector", "cookie_jar", "trace_configs", "version")
_OLD = OLD_REQUEST_NAMES | {"loop"}


def request(
    method: str, url: str | URL, **options: Unpack[OneRequestOptions]
) -> "OneRequestContext":
    """Send one request; enter it with `async with` for its `ClientResponse`.

    Connections are not kept for later: who sends more than one request wants a `ClientSession`. The keyword arguments
    are those of `ClientSession.request`, and of the session `connector` (not closed afterwards), `cookie_jar`,
    `trace_configs` and `version`.

    Raises, when entered: as `ClientSession.request`.
    """
    if not _OLD.isdisjoint(options):
        return OneRequestContext(method, url, _modern({**options}))
    return OneRequestContext(method, url, {**options})


def _modern(options: dict[str, Any]) -> dict[str, Any]:
    """The arguments under their names of today. Here and not in the session: it is entered elsewhere than called, and
    a warning must name the line that the caller is to change."""
    # Imported here: most programs are younger.
    from ._old_spellings import modern_request, modern_session

    modern_session({"loop": options.pop("loop", None)}, stacklevel=4)
    return modern_request(options, stacklevel=4)


@final
class OneRequestContext:
    """A request that is sent when this is entered, and whose session ends with the block."""

    __slots__ = ("_method", "_options", "_response", "_session", "_url")

    _session: ClientSession
    _response: ClientResponse

    def __init__(self, method: str, url: str | URL, options: dict[str, Any]) -> None:
        self._method = method
        self._url = url
        self._options = options

    async def __aenter__(self) -> ClientResponse:
        options = dict(self._options)
        own = {name: options.pop(name) for name in _OF_SESSION if name in options}
        owner = own.get("connector") is None
        if owner:
            own["connector"] = TCPConnector(force_close=True)
        self._session = ClientSession(connector_owner=owner, **own)
        try:
            self._response = await self._session.request(self._method, self._url, **options)
        except BaseException:
            await self._session.close()
            raise
        self._response.enter_block()
        return self._response

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._response.release()
        await self._session.close()
