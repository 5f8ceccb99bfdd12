"""Basic credentials: a user name and a password in an Authorization field (RFC 7617)."""

import binascii
import re
import sys
from base64 import b64decode, b64encode
from typing import NamedTuple, Protocol

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("BasicAuth", "encode_basic_auth")

_CREDENTIALS = re.compile(r"basic +([A-Za-z0-9+/]*={0,2})", re.ASCII | re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]", re.ASCII)


class _UserInfo(Protocol):
    """A URL as far as credentials go: user and password without percent-encoding, None if absent."""

    @property
    def user(self) -> str | None: ...

    @property
    def password(self) -> str | None: ...


class _Fields(NamedTuple):
    login: str
    password: str
    encoding: str


class BasicAuth(_Fields):
    """A user name, a password, and the encoding that turns both into octets.

    A triple, comparable and hashable; its `repr` hides the password.

    Raises: `ValueError` for a colon in the name, which ends it on the wire, and for control characters in either
    (RFC 7617 section 2).
    """

    __slots__ = ()

    def __new__(cls, login: str, password: str = "", encoding: str = "latin1") -> "BasicAuth":
        _check(login, password)
        return super().__new__(cls, login, password, encoding)

    @classmethod
    def decode(cls, auth_header: str, encoding: str = "latin1") -> "BasicAuth":
        """The credentials in the value of an Authorization field.

        Raises: `ValueError` when the scheme is not Basic or what follows is malformed.
        """
        match = _CREDENTIALS.fullmatch(auth_header)
        if match is None:
            raise ValueError("not the value of a field with Basic credentials")
        try:
            login, colon, password = b64decode(match[1]).decode(encoding).partition(":")
        except (binascii.Error, UnicodeDecodeError):
            # The original error quotes octets of the credentials.
            raise ValueError("the Basic credentials cannot be decoded") from None
        if not colon:
            raise ValueError("the Basic credentials have no colon")
        return cls(login, password, encoding)

    @classmethod
    def from_url(cls, url: _UserInfo, *, encoding: str = "latin1") -> "BasicAuth | None":
        """The credentials of a URL's authority, or None if it has none."""
        if url.user is None and url.password is None:
            return None
        return cls(url.user or "", url.password or "", encoding)

    def encode(self) -> str:
        """The value of an Authorization field.

        Raises: `ValueError` for characters that the encoding does not have.
        """
        return encode_basic_auth(self.login, self.password, self.encoding)

    @override
    def __repr__(self) -> str:
        return f"BasicAuth(login={self.login!r}, password='***', encoding={self.encoding!r})"


def encode_basic_auth(login: str, password: str = "", encoding: str = "utf-8") -> str:
    """The value of an Authorization field with these credentials, `Basic …`.

    Raises: `ValueError` for a colon in the name, for control characters, and for characters that the encoding does
    not have.
    """
    _check(login, password)
    try:
        octets = f"{login}:{password}".encode(encoding)
    except UnicodeEncodeError:
        # The original error carries the credentials.
        raise ValueError(f"the credentials cannot be encoded as {encoding}") from None
    return f"Basic {b64encode(octets).decode('ascii')}"


def _check(login: str, password: str) -> None:
    if login is None or password is None:
        raise ValueError("a user name and a password are text; an empty one is ''")
    if ":" in login:
        raise ValueError("a user name cannot hold a colon (RFC 7617 section 2)")
    if _CONTROL.search(login) or _CONTROL.search(password):
        raise ValueError("credentials cannot hold control characters (RFC 7617 section 2)")
