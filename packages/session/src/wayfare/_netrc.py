"""Credentials from the user's .netrc file, for exactly the host that a hop goes to (D18), or that of its proxy.

The file is read in a thread (Y9), once, and again only when it changed; what it said is kept for all sessions. Whether
it changed is asked of the system for each request, on the loop: that is a microsecond, a trip to a thread is fifty.
Whatever is wrong with it is told to the log once and breaks no request. Nothing of what it says is ever told.
"""

import asyncio
import logging
import os
import stat
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias, final

from wayfare_http_core import BasicAuth, hdrs
from yarl import URL

from ._request import ClientRequest

__all__ = ("Netrc", "NetrcFile", "is_downgraded", "netrc_path", "read_netrc")

_MAX_SIZE: Final = 1024 * 1024
"""Octets of a file that is read; a thousand machines are a tenth of that."""

_LOG: Final = logging.getLogger("wayfare")


Stamp: TypeAlias = tuple[str, int, int, int, int]
"""What changes when a file does: its path, inode and size, and when its content and its inode were changed."""


class NetrcFile(NamedTuple):
    """A file as it was read."""

    stamp: Stamp | None
    """None for no file at all."""
    authorizations: Mapping[str, str]
    """Hosts in lower case, names as A-labels, and their values of Authorization."""


_NONE: Final = NetrcFile(None, {})


@final
class _Kept:
    """The file that was read last, for all sessions of the process."""

    __slots__ = ("file",)

    def __init__(self) -> None:
        self.file = _NONE


_KEPT: Final = _Kept()


def netrc_path(environ: Mapping[str, str], *, windows: bool = os.name == "nt") -> str | None:
    """Where the file is: what NETRC says, else .netrc (on Windows _netrc) in the home directory; None without one."""
    return _path(environ.get("NETRC"), environ.get("HOME"), windows)


# Asked for each request; what is a home directory takes longer to find than the file in it.
@lru_cache(maxsize=8)
def _path(named: str | None, _home: str | None, windows: bool) -> str | None:
    """`_home` stands among the arguments because what is kept must be found by it."""
    path = os.path.expanduser(named or os.path.join("~", "_netrc" if windows else ".netrc"))
    return None if path.startswith("~") else path


def read_netrc(path: str) -> NetrcFile:
    """The file as it is now. Blocks. Never raises: what cannot be used is told to the log, without any of its content.

    Who may read the file does not matter, as it does not to curl: it is often mounted by those who run containers.
    An entry `default` is not used: it would be for hosts that nobody named (D18).
    """
    # Imported here: most programs have no such file.
    from netrc import NetrcParseError, netrc

    stamp = _stamp(path)
    if stamp is None:
        return _NONE
    hosts: Mapping[str, tuple[str, str, str]] = {}
    try:
        if stamp[2] > _MAX_SIZE:
            raise ValueError(f"it has more than {_MAX_SIZE} octets")
        hosts = netrc(path).hosts
    except NetrcParseError as exc:
        # Its message quotes what it did not understand, which may be a password.
        _LOG.warning("%s is not used: line %s cannot be read", path, exc.lineno)
    except UnicodeDecodeError:
        _LOG.warning("%s is not used: it is no text", path)
    except (OSError, ValueError) as exc:
        _LOG.warning("%s is not used: %s", path, getattr(exc, "strerror", None) or exc)
    return NetrcFile(stamp, _authorizations(path, hosts))


def is_downgraded(url: URL, hops: Iterable[URL]) -> bool:
    """Whether a redirect led from an encrypted connection to this URL, which has none: credentials end there."""
    return url.scheme in ("http", "ws") and any(hop.scheme in ("https", "wss") for hop in hops)


@final
class Netrc:
    """The file for the requests of one session, on one event loop."""

    __slots__ = ("_reading",)

    def __init__(self) -> None:
        self._reading: tuple[Stamp, asyncio.Future[NetrcFile]] | None = None

    def may_have(self, host: str) -> bool:
        """Whether the file has credentials for a host, as far as that can be told without reading it."""
        path = netrc_path(os.environ)
        stamp = None if path is None else _stamp(path)
        file = _KEPT.file
        return stamp is not None and (stamp != file.stamp or host in file.authorizations)

    def may_serve(self, request: ClientRequest) -> bool:
        """The same for the host of a request, and for the proxy before it."""
        proxy = request.proxy
        return self.may_have(request.host) or (proxy is not None and self.may_have(proxy.host))

    async def proxied(self, request: ClientRequest) -> ClientRequest:
        """The request with the credentials that the file has for its proxy; as it is where it has some, and where
        somebody else than the environment named it.

        Raises: nothing of the file's.
        Cancellation: safe; other requests read on.
        """
        proxy, route = request.proxy, request.prepared.route
        if proxy is None or proxy.is_authorized or proxy.is_socks:
            return request
        if route.proxy is not None or not route.asks_environment:
            return request
        value = (await self._file()).authorizations.get(proxy.host)
        return request if value is None else request.through(proxy.authorized(value))

    async def authorized(self, request: ClientRequest, hops: Iterable[URL]) -> ClientRequest:
        """The request with the credentials that the file has for its host; as it is where it has some, or may not.

        `hops` are the URLs before.

        Raises: nothing of the file's.
        Cancellation: safe; other requests read on.
        """
        name = hdrs.AUTHORIZATION
        if name in request.headers or name.lower() in request.skip_auto_headers:
            return request
        if is_downgraded(request.url, hops):
            return request
        file = await self._file()
        value = file.authorizations.get(request.host)
        if value is None:
            return request
        authorized = request.copy()
        authorized.headers[name] = value
        return authorized

    async def _file(self) -> NetrcFile:
        path = netrc_path(os.environ)
        stamp = None if path is None else _stamp(path)
        if path is None or stamp is None:
            return _NONE
        if _KEPT.file.stamp == stamp:
            return _KEPT.file
        if self._reading is None or self._reading[0] != stamp:
            loop = asyncio.get_running_loop()
            self._reading = stamp, loop.run_in_executor(None, read_netrc, path)
        # Shared, so whoever is cancelled leaves it alone.
        file = await asyncio.shield(self._reading[1])
        _KEPT.file = file
        return file


def _stamp(path: str) -> Stamp | None:
    """What the system says of a file; None for what is none, such as /dev/null."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return path, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _authorizations(path: str, hosts: Mapping[str, tuple[str, str, str]]) -> dict[str, str]:
    found = {}
    for name, (login, account, password) in hosts.items():
        user = login or account or ""
        if name == "default" or not (user or password):
            continue
        try:
            found[_host(name)] = BasicAuth(user, password or "", "utf-8").encode()
        except ValueError:
            _LOG.warning("%s: the entry for %s is no Basic credential", path, name)
    return found


def _host(name: str) -> str:
    """The host as requests are made to it.

    Raises: ValueError for what is none.
    """
    return URL.build(scheme="http", host=name.lower()).raw_host or name
