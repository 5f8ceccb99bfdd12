"""The field Sec-WebSocket-Extensions (RFC 6455 section 9.1), and what it says of permessage-deflate (RFC 7692).

extension-list  = 1#( extension-token *( ";" extension-param ) )
extension-param = token [ "=" ( token / quoted-string ) ]       the quoted string holding a token
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, final

from ._deflate import DeflateParameters

__all__ = (
    "DEFLATE",
    "DeflateOffer",
    "Extension",
    "agree_on_deflate",
    "choose_deflate",
    "parse_extensions",
)

DEFLATE = "permessage-deflate"

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_PARAMETER = re.compile(
    rf"[ \t]*+;[ \t]*+({_TOKEN})(?:[ \t]*+=[ \t]*+(?:({_TOKEN})|\"({_TOKEN})\"))?", re.ASCII
)
_NAME = re.compile(rf"[ \t]*+({_TOKEN})", re.ASCII)
_SEPARATOR = re.compile(r"[ \t]*+(?:,|\Z)", re.ASCII)
_END = re.compile(r"[ \t]*+\Z", re.ASCII)
_EMPTY = re.compile(r"[ \t]*+,", re.ASCII)
_BITS = re.compile(r"8|9|1[0-5]", re.ASCII)

_SERVER_TAKEOVER = "server_no_context_takeover"
_CLIENT_TAKEOVER = "client_no_context_takeover"
_SERVER_BITS = "server_max_window_bits"
_CLIENT_BITS = "client_max_window_bits"


class Extension(NamedTuple):
    """One extension with its parameters in their order; None is the value of one that has none."""

    name: str
    parameters: tuple[tuple[str, str | None], ...]


def parse_extensions(values: Iterable[str]) -> list[Extension]:
    """The extensions that fields name. Raises: ValueError for what the grammar does not allow."""
    found: list[Extension] = []
    for value in values:
        at = 0
        while not _END.match(value, at):
            if empty := _EMPTY.match(value, at):
                at = empty.end()
                continue
            name = _NAME.match(value, at)
            if name is None:
                raise ValueError("an extension has no name")
            at = name.end()
            parameters: list[tuple[str, str | None]] = []
            while parameter := _PARAMETER.match(value, at):
                parameters.append((parameter[1], parameter[2] or parameter[3]))
                at = parameter.end()
            separator = _SEPARATOR.match(value, at)
            if separator is None:
                raise ValueError("an extension's parameters are malformed")
            at = separator.end()
            found.append(Extension(name[1], tuple(parameters)))
    return found


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DeflateOffer:
    """What a client offers of permessage-deflate (RFC 7692 section 7.1).

    The server is asked to limit its window to `server_max_window_bits`, 8 to 15, where that is given; one that does not
    answer to that has 15. The client's own window has at most `client_max_window_bits`, 9 to 15; a server may ask for a
    smaller one.
    """

    server_no_context_takeover: bool = False
    client_no_context_takeover: bool = False
    server_max_window_bits: int | None = None
    client_max_window_bits: int = 15

    def __post_init__(self) -> None:
        bits = self.server_max_window_bits
        if bits is not None and not 8 <= bits <= 15:
            raise ValueError(f"a server's window has 8 to 15 bits, not {bits}")
        if not 9 <= self.client_max_window_bits <= 15:
            raise ValueError(
                f"a client's window has 9 to 15 bits, not {self.client_max_window_bits}"
            )

    def encode(self) -> str:
        """The element of Sec-WebSocket-Extensions."""
        parts = [DEFLATE]
        if self.server_no_context_takeover:
            parts.append(_SERVER_TAKEOVER)
        if self.client_no_context_takeover:
            parts.append(_CLIENT_TAKEOVER)
        if self.server_max_window_bits is not None:
            parts.append(f"{_SERVER_BITS}={self.server_max_window_bits}")
        bits = self.client_max_window_bits
        parts.append(_CLIENT_BITS if bits == 15 else f"{_CLIENT_BITS}={bits}")
        return "; ".join(parts)


def agree_on_deflate(offer: DeflateOffer, answer: Extension) -> DeflateParameters:
    """What a server's answer to the offer means.

    Raises: ValueError for an answer that the offer does not allow (W3, RFC 7692 section 7.1).
    """
    values = _parameters(answer)
    server_bits = 15
    client_bits = offer.client_max_window_bits
    if _SERVER_BITS in values:
        server_bits = _window_bits(_SERVER_BITS, values[_SERVER_BITS])
        # One that says nothing knows no such limit, as many do not: its window is larger than we wished, and no danger.
        if server_bits > (offer.server_max_window_bits or 15):
            raise ValueError(f"the server's {_SERVER_BITS} is larger than what was offered")
    if _CLIENT_BITS in values:
        asked = _window_bits(_CLIENT_BITS, values[_CLIENT_BITS])
        if asked > client_bits:
            raise ValueError(f"the server's {_CLIENT_BITS} is larger than what was offered")
        client_bits = asked
    if offer.server_no_context_takeover and _SERVER_TAKEOVER not in values:
        raise ValueError(f"the server did not accept {_SERVER_TAKEOVER}")
    return DeflateParameters(
        server_no_context_takeover=_SERVER_TAKEOVER in values,
        client_no_context_takeover=offer.client_no_context_takeover or _CLIENT_TAKEOVER in values,
        server_max_window_bits=server_bits,
        client_max_window_bits=client_bits,
    )


def choose_deflate(
    offers: Iterable[Extension], limit: DeflateParameters
) -> tuple[DeflateParameters, str] | None:
    """A server's choice among the offers, within its own limits, and the answer that says so; None for none of them.

    The first one wins that can be accepted; a malformed one is declined (RFC 7692 section 7.1).
    """
    for offer in offers:
        if offer.name != DEFLATE:
            continue
        try:
            values = _parameters(offer)
            agreed = _accept(values, limit)
        except ValueError:
            continue
        if agreed is not None:
            return agreed, _answer(agreed, values)
    return None


def _accept(values: dict[str, str | None], limit: DeflateParameters) -> DeflateParameters | None:
    server_bits, client_bits = limit.server_max_window_bits, limit.client_max_window_bits
    if _SERVER_BITS in values:
        server_bits = min(server_bits, _window_bits(_SERVER_BITS, values[_SERVER_BITS]))
    if _CLIENT_BITS in values:
        if values[_CLIENT_BITS] is not None:
            client_bits = min(client_bits, _window_bits(_CLIENT_BITS, values[_CLIENT_BITS]))
    elif client_bits < 15:
        return None  # this client cannot be told to use less
    return DeflateParameters(
        server_no_context_takeover=limit.server_no_context_takeover or _SERVER_TAKEOVER in values,
        client_no_context_takeover=limit.client_no_context_takeover or _CLIENT_TAKEOVER in values,
        server_max_window_bits=server_bits,
        client_max_window_bits=client_bits,
    )


def _answer(agreed: DeflateParameters, values: dict[str, str | None]) -> str:
    parts = [DEFLATE]
    if agreed.server_no_context_takeover:
        parts.append(_SERVER_TAKEOVER)
    if agreed.client_no_context_takeover:
        parts.append(_CLIENT_TAKEOVER)
    if agreed.server_max_window_bits < 15 or _SERVER_BITS in values:
        parts.append(f"{_SERVER_BITS}={agreed.server_max_window_bits}")
    if _CLIENT_BITS in values and agreed.client_max_window_bits < 15:
        parts.append(f"{_CLIENT_BITS}={agreed.client_max_window_bits}")
    return "; ".join(parts)


def _parameters(extension: Extension) -> dict[str, str | None]:
    """The parameters by name. Raises: ValueError for one that is unknown, doubled, or has a value and must not."""
    values: dict[str, str | None] = {}
    for name, value in extension.parameters:
        if name in values:
            raise ValueError(f"the parameter {name} stands there twice")
        if name in (_SERVER_TAKEOVER, _CLIENT_TAKEOVER):
            if value is not None:
                raise ValueError(f"the parameter {name} has a value")
        elif name not in (_SERVER_BITS, _CLIENT_BITS):
            raise ValueError(f"the parameter {name!r} is unknown")
        values[name] = value
    return values


def _window_bits(name: str, value: str | None) -> int:
    if value is None or not _BITS.fullmatch(value):
        raise ValueError(f"the value of {name} is not 8 to 15")
    return int(value)
