"""The opening handshake as values: the fields of the request, and what the answer says (RFC 6455 section 4).

Whoever sends the request and reads the answer is not here: these are fields for any HTTP/1.1 client, and a verdict.
"""

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, final

from ._deflate import DeflateParameters
from ._extensions import (
    DEFLATE,
    DeflateOffer,
    agree_on_deflate,
    choose_deflate,
    parse_extensions,
)

__all__ = (
    "Accepted",
    "ClientHandshake",
    "Fields",
    "HandshakeRefused",
    "ServerAnswer",
    "answer_handshake",
)

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_VERSION = "13"
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)
_KEY = re.compile(r"[0-9A-Za-z+/]{22}==", re.ASCII)


class Fields(Protocol):
    """The fields of a head: a multidict, or http-core's `FieldBlock`."""

    def getall(self, name: str, /) -> Sequence[str]:
        """The values of the fields of that name, which is there in any case."""


@final
@dataclass(frozen=True, slots=True)
class Accepted:
    """The server switched: the subprotocol that it chose, and how messages are compressed."""

    protocol: str | None
    deflate: DeflateParameters | None


@final
@dataclass(frozen=True, slots=True)
class HandshakeRefused:
    """The handshake failed: what is wrong with the answer (or, for a server, with the request), and the status."""

    status: int
    reason: str


@final
class ClientHandshake:
    """One attempt to open a WebSocket: `fields` for a GET request, then `check` the answer.

    `protocols` are the subprotocols offered, the best one first; `deflate` offers compression; `origin` is what a
    browser says of the page it shows. Each attempt has a key of its own, so make a new one for each (W6).

    Raises: ValueError for a subprotocol that is no token or stands there twice.
    """

    __slots__ = ("_deflate", "_expected", "_protocols", "fields")

    fields: tuple[tuple[str, str], ...]

    def __init__(
        self,
        *,
        protocols: Iterable[str] = (),
        deflate: DeflateOffer | None = None,
        origin: str | None = None,
    ) -> None:
        self._protocols = tuple(protocols)
        self._deflate = deflate
        for protocol in self._protocols:
            if not _TOKEN.fullmatch(protocol):
                raise ValueError(f"the subprotocol {protocol!r} is no token")
        if len(set(self._protocols)) != len(self._protocols):
            raise ValueError("a subprotocol is offered twice")
        key = base64.b64encode(os.urandom(16))
        self._expected = _accept_value(key)
        fields = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Key", key.decode()),
            ("Sec-WebSocket-Version", _VERSION),
        ]
        if self._protocols:
            fields.append(("Sec-WebSocket-Protocol", ", ".join(self._protocols)))
        if deflate is not None:
            fields.append(("Sec-WebSocket-Extensions", deflate.encode()))
        if origin is not None:
            fields.append(("Origin", origin))
        self.fields = tuple(fields)

    def check(self, status: int, headers: Fields) -> Accepted | HandshakeRefused:
        """What the server's answer means. It never raises for what a server sends (W1 to W3)."""
        try:
            if status != 101:
                raise ValueError("the server did not switch protocols")
            _check_upgrade(headers)
            if _only(headers, "Sec-WebSocket-Accept") != self._expected:
                raise ValueError("Sec-WebSocket-Accept does not fit the key")
            return Accepted(self._protocol(headers), self._extension(headers))
        except ValueError as error:
            return HandshakeRefused(status, str(error))

    def _protocol(self, headers: Fields) -> str | None:
        protocol = _only(headers, "Sec-WebSocket-Protocol")
        if protocol is not None and protocol not in self._protocols:
            raise ValueError("the server chose a subprotocol that was not offered")
        return protocol

    def _extension(self, headers: Fields) -> DeflateParameters | None:
        extensions = parse_extensions(_all(headers, "Sec-WebSocket-Extensions"))
        if not extensions:
            return None
        if self._deflate is None or len(extensions) > 1 or extensions[0].name != DEFLATE:
            raise ValueError("the server uses an extension that was not offered")
        return agree_on_deflate(self._deflate, extensions[0])


@final
@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """A server's consent: the fields of its 101 response, and what was agreed on."""

    fields: tuple[tuple[str, str], ...]
    protocol: str | None
    deflate: DeflateParameters | None


def answer_handshake(
    method: str,
    headers: Fields,
    *,
    protocols: Sequence[str] = (),
    deflate: DeflateParameters | None = None,
) -> ServerAnswer | HandshakeRefused:
    """A server's answer to a request (RFC 6455 section 4.2).

    It takes the first of the client's subprotocols that is in `protocols`, and the first offer of compression that
    `deflate`, the limits, allow. A refusal's status is 400, 405, or 426 (then the answer carries Upgrade and
    Sec-WebSocket-Version: 13).
    """
    if method != "GET":
        return HandshakeRefused(405, "the method is not GET")
    try:
        _check_upgrade(headers)
    except ValueError as error:
        return HandshakeRefused(426, str(error))
    try:
        if _only(headers, "Sec-WebSocket-Version") != _VERSION:
            return HandshakeRefused(426, f"Sec-WebSocket-Version is not {_VERSION}")
        key = _only(headers, "Sec-WebSocket-Key")
        if key is None or not _is_key(key):
            raise ValueError("Sec-WebSocket-Key is not 16 octets in Base64")
        offers = parse_extensions(_all(headers, "Sec-WebSocket-Extensions"))
    except ValueError as error:
        return HandshakeRefused(400, str(error))
    fields = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", _accept_value(key.encode())),
    ]
    wanted = _elements(_all(headers, "Sec-WebSocket-Protocol"))
    protocol = next((name for name in wanted if name in protocols), None)
    if protocol is not None:
        fields.append(("Sec-WebSocket-Protocol", protocol))
    chosen = None if deflate is None else choose_deflate(offers, deflate)
    if chosen is not None:
        fields.append(("Sec-WebSocket-Extensions", chosen[1]))
    return ServerAnswer(tuple(fields), protocol, None if chosen is None else chosen[0])


def _check_upgrade(headers: Fields) -> None:
    """Upgrade names websocket alone, and Connection says that it is about this hop (W1)."""
    if _lower(_elements(_all(headers, "Upgrade"))) != ["websocket"]:
        raise ValueError("Upgrade is not websocket")
    if "upgrade" not in _lower(_elements(_all(headers, "Connection"))):
        raise ValueError("Connection does not say upgrade")


def _accept_value(key: bytes) -> str:
    # SHA-1 proves here that the server understood, and protects nothing.
    return base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest()).decode()


def _is_key(text: str) -> bool:
    if not _KEY.fullmatch(text):
        return False
    return binascii.b2a_base64(binascii.a2b_base64(text), newline=False) == text.encode()


def _all(headers: Fields, name: str) -> Sequence[str]:
    try:
        return headers.getall(name)
    except KeyError:
        return ()


def _only(headers: Fields, name: str) -> str | None:
    """The value of a field that must not come twice. Raises: ValueError where it does."""
    values = _all(headers, name)
    if len(values) > 1:
        raise ValueError(f"{name} stands there {len(values)} times")
    return values[0].strip(" \t") if values else None


def _elements(values: Iterable[str]) -> list[str]:
    parts = [part.strip(" \t") for value in values for part in value.split(",")]
    return [part for part in parts if part]


def _lower(names: Iterable[str]) -> list[str]:
    """In ASCII lower case: `str.lower` would make a "k" of the Kelvin sign."""
    return [name.lower() if name.isascii() else name for name in names]
