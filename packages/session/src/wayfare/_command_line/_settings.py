"""The options of the command line that are about the way to a server, turned into those of a session."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from wayfare import (
    BasicAuth,
    ClientMiddlewareType,
    ClientTimeout,
    DigestAuthMiddleware,
    RequestOptions,
    RetryMiddleware,
    RetryPolicy,
    SessionOptions,
    UnixConnector,
)

__all__ = ("Way", "credential_fields", "request_options", "session_options")


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How servers are reached and what they are told about who asks."""

    auth: str | None = None
    """User and password, or a token."""
    auth_type: str = "basic"
    proxy: str | None = None
    trust_env: bool = True
    verify: bool = True
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    unix_socket: Path | None = None
    timeout: float | None = None
    follow: bool = False
    max_redirects: int = 10
    compress: str | None = None
    attempts: int = 1
    """How often a request is sent at most."""


def session_options(way: Way) -> SessionOptions:
    """What a session is made with.

    Raises: OSError, ValueError for certificates that cannot be read.
    """
    options: SessionOptions = {
        "trust_env": way.trust_env,
        # The connection has a limit of its own: a server that is not there should not look like one that thinks.
        "timeout": ClientTimeout(total=way.timeout, sock_connect=30),
        "ssl": _tls(way),
    }
    if way.proxy is not None:
        options["proxy"] = way.proxy
    middlewares: list[ClientMiddlewareType] = []
    if way.attempts > 1:
        middlewares.append(RetryMiddleware(RetryPolicy(attempts=way.attempts)))
    if way.auth is not None and way.auth_type == "digest":
        middlewares.append(DigestAuthMiddleware(*_user_and_password(way.auth)))
    options["middlewares"] = middlewares
    if way.unix_socket is not None:
        options["connector"] = UnixConnector(str(way.unix_socket))
    return options


def request_options(way: Way) -> RequestOptions:
    """What the request is made with.

    Raises: ValueError for credentials that cannot be sent.
    """
    options: RequestOptions = {
        "allow_redirects": way.follow,
        "max_redirects": way.max_redirects,
    }
    if way.compress is not None:
        options["compress"] = way.compress
    if way.auth is not None and way.auth_type == "basic":
        options["auth"] = BasicAuth(*_user_and_password(way.auth), "utf-8")
    return options


def _user_and_password(auth: str) -> tuple[str, str]:
    user, _, password = auth.partition(":")
    return user, password


def credential_fields(way: Way) -> tuple[tuple[str, str], ...]:
    """The fields that credentials are sent in, where a session does not make them itself.

    A redirect to another origin drops a field of this name.
    """
    if way.auth is None or way.auth_type != "bearer":
        return ()
    return (("Authorization", f"Bearer {way.auth}"),)


def _tls(way: Way) -> ssl.SSLContext | bool:
    if way.key is not None and way.certificate is None:
        raise ValueError("--key needs --cert")
    if way.ca is None and way.certificate is None:
        return way.verify
    context = ssl.create_default_context(cafile=way.ca)
    if not way.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if way.certificate is not None:
        context.load_cert_chain(way.certificate, way.key)
    return context
