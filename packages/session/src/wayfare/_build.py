"""From a session's defaults and a caller's arguments to the request that they make together."""

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, final

from wayfare_connector import TLSSetting
from wayfare_http_core import FieldBlock, RequestBody
from yarl import URL

from ._bodies import JSONEncoder, body_from_data, body_from_json
from ._defaults import merge_headers
from ._options import RequestOptions, check_names
from ._request import ClientRequest
from ._settings import RequestSettings, exchange_options
from ._timeout import UNSET, ClientTimeout, read_timeout_option
from ._urls import PreparedURL, join_url, prepare_url, with_params

if TYPE_CHECKING:
    from ._session import ClientSession

__all__ = ("RequestBuilder",)

_PREPARED_URLS = 256
"""URLs that a session keeps parsed and checked. yarl keeps as many; an entry is about a kilobyte."""


@final
class RequestBuilder:
    """What a session starts each request from. Nothing here changes once the session is made."""

    __slots__ = ("_json_serialize", "_prepare", "base_url", "fields", "settings", "timeout")

    def __init__(
        self,
        base_url: URL | None,
        fields: FieldBlock,
        timeout: ClientTimeout,
        settings: RequestSettings,
        tls: TLSSetting,
        json_serialize: JSONEncoder | None,
    ) -> None:
        """`tls` is the setting of the session's connector."""
        self.base_url = base_url
        self.fields = fields
        self.timeout = timeout
        self.settings = settings
        self._json_serialize = json_serialize
        self._prepare = lru_cache(maxsize=_PREPARED_URLS)(partial(_prepared, base_url, tls))

    def request(
        self, session: "ClientSession", method: str, url: str | URL, options: RequestOptions
    ) -> ClientRequest:
        """The request that these arguments ask for.

        Raises: what `ClientSession.request` does before anything is sent.
        """
        prepared = self._prepare(url)
        if not options and prepared.authorization is None:
            fields = self.fields
            return ClientRequest(
                method,
                prepared,
                fields,
                None,
                self.timeout,
                self.settings,
                session,
                prepared.usual_head(method, fields),
            )
        return self._special(session, method, prepared, options)

    def _special(
        self,
        session: "ClientSession",
        method: str,
        prepared: PreparedURL,
        options: RequestOptions,
    ) -> ClientRequest:
        """A request that is not made of defaults alone."""
        check_names("a request", options)
        params = options.get("params")
        if params:
            prepared = prepared.with_url(with_params(prepared.real_url, params))
        headers = merge_headers(self.fields.pairs, options.get("headers"))
        body, content_type = self._content(options)
        if content_type is not None:
            headers.setdefault("Content-Type", content_type)
        if prepared.authorization is not None:
            headers.setdefault("Authorization", prepared.authorization)
        timeout = read_timeout_option(options.get("timeout", UNSET), self.timeout)
        settings = _settings(self.settings, options)
        if timeout is not self.timeout:
            settings = settings._replace(exchange=exchange_options(settings.exchange, timeout))
        return ClientRequest(
            method,
            prepared,
            FieldBlock(headers),
            body,
            timeout,
            settings,
            session,
        )

    def _content(self, options: RequestOptions) -> tuple[RequestBody | bytes | None, str | None]:
        data, value = options.get("data"), options.get("json")
        if data is not None and value is not None:
            raise ValueError("data and json exclude each other: a request has one content")
        if value is not None:
            return body_from_json(value, self.json_serialize)
        return (None, None) if data is None else body_from_data(data)

    @property
    def json_serialize(self) -> JSONEncoder:
        """What turns values into JSON text."""
        if self._json_serialize is None:
            # Imported here: a session that speaks no JSON never needs it.
            import json

            self._json_serialize = json.dumps
        return self._json_serialize


def _prepared(base_url: URL | None, ssl: TLSSetting, url: str | URL) -> PreparedURL:
    return prepare_url(join_url(base_url, url), ssl)


_OWN = (
    "allow_redirects",
    "auto_decompress",
    "max_redirects",
    "middlewares",
    "raise_for_status",
    "redirect_policy",
    "retry_stale",
)


def _settings(base: RequestSettings, options: RequestOptions) -> RequestSettings:
    """The session's settings with what the request says otherwise."""
    given: Mapping[str, Any] = options
    own = {name: given[name] for name in _OWN if given.get(name) is not None}
    return base._replace(**own) if own else base
