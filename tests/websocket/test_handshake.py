"""The opening handshake: what is asked, and which answers open a WebSocket (W1 to W3, W6)."""

import base64
import hashlib
from collections.abc import Iterable

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from wayfare_http_core import FieldBlock
from wayfare_websocket import (
    Accepted,
    ClientHandshake,
    DeflateOffer,
    DeflateParameters,
    HandshakeRefused,
    ServerAnswer,
    answer_handshake,
)
from wayfare_websocket._extensions import Extension, parse_extensions

Pairs = Iterable[tuple[str, str]]
LIMITS = DeflateParameters()


def fields(pairs: Pairs) -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict(pairs))


def accept_for(handshake: ClientHandshake) -> str:
    """What the RFC computes from the key (section 4.2.2), with nothing of the code under test."""
    key = dict(handshake.fields)["Sec-WebSocket-Key"]
    guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    return base64.b64encode(hashlib.sha1((key + guid).encode()).digest()).decode()


def answer(handshake: ClientHandshake, *more: tuple[str, str], **changed: str | None) -> Pairs:
    """A good answer; `changed` replaces or removes its fields, `more` adds some."""
    good: dict[str, str | None] = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Accept": accept_for(handshake),
    }
    good.update({name.replace("_", "-"): value for name, value in changed.items()})
    return [*((name, value) for name, value in good.items() if value is not None), *more]


def refused(handshake: ClientHandshake, pairs: Pairs, status: int = 101) -> str:
    verdict = handshake.check(status, fields(pairs))
    assert isinstance(verdict, HandshakeRefused)
    assert verdict.status == status
    return verdict.reason


def test_the_example_of_the_rfc() -> None:
    """RFC 6455 section 1.3, from a server's side."""
    request = fields(
        [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Protocol", "chat, superchat"),
            ("Sec-WebSocket-Version", "13"),
        ]
    )
    consent = answer_handshake("GET", request, protocols=["chat"])
    assert consent == ServerAnswer(
        (
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            ("Sec-WebSocket-Protocol", "chat"),
        ),
        "chat",
        None,
    )


def test_the_request() -> None:
    handshake = ClientHandshake(
        protocols=["chat.v2", "chat"], deflate=DeflateOffer(), origin="https://example.org"
    )
    named = dict(handshake.fields)
    key = named.pop("Sec-WebSocket-Key")
    assert len(base64.b64decode(key, validate=True)) == 16
    assert named == {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "chat.v2, chat",
        "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
        "Origin": "https://example.org",
    }
    assert len(ClientHandshake().fields) == 4


def test_w6_each_attempt_has_a_key_of_its_own() -> None:
    """W6: and an answer to another attempt is none to this one."""
    attempts = [ClientHandshake() for _ in range(100)]
    assert len({dict(attempt.fields)["Sec-WebSocket-Key"] for attempt in attempts}) == 100
    words = refused(attempts[0], answer(attempts[1]))
    assert words == "Sec-WebSocket-Accept does not fit the key"


@pytest.mark.parametrize("protocol", ["", "a b", "a,b", "a\r\nX: y", "é", 'a"'])
def test_subprotocols_are_tokens(protocol: str) -> None:
    with pytest.raises(ValueError, match="is no token"):
        ClientHandshake(protocols=[protocol])
    with pytest.raises(ValueError, match="offered twice"):
        ClientHandshake(protocols=["a", "b", "a"])


@pytest.mark.parametrize(
    ("upgrade", "connection"),
    [
        ("websocket", "Upgrade"),
        ("WebSocket", "upgrade"),
        (" websocket\t", "keep-alive, Upgrade"),
        ("websocket", "foo ,,\tUPGRADE, bar"),
    ],
)
def test_w1_good_answers(upgrade: str, connection: str) -> None:
    """W1: tokens, in any case, in a list where the field has one."""
    handshake = ClientHandshake()
    pairs = answer(handshake, Upgrade=upgrade, Connection=connection)
    assert handshake.check(101, fields(pairs)) == Accepted(None, None)
    assert handshake.check(101, FieldBlock(pairs)) == Accepted(None, None)


def test_w1_connection_over_several_fields() -> None:
    """W1."""
    handshake = ClientHandshake()
    pairs = answer(handshake, ("Connection", "Upgrade"), Connection="keep-alive")
    assert handshake.check(101, fields(pairs)) == Accepted(None, None)


@pytest.mark.parametrize("status", [100, 200, 204, 301, 401, 403, 407, 426, 500])
def test_w1_w4_only_101_switches(status: int) -> None:
    """W1, W4: whatever the fields say."""
    handshake = ClientHandshake()
    assert refused(handshake, answer(handshake), status) == "the server did not switch protocols"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("Upgrade", None, "Upgrade is not websocket"),
        ("Upgrade", "h2c", "Upgrade is not websocket"),
        ("Upgrade", "websocket, h2c", "Upgrade is not websocket"),
        ("Upgrade", "web\u017focket", "Upgrade is not websocket"),
        ("Upgrade", "websoc\u212aet", "Upgrade is not websocket"),
        ("Connection", None, "Connection does not say upgrade"),
        ("Connection", "close", "Connection does not say upgrade"),
        ("Connection", "upgraded", "Connection does not say upgrade"),
        ("Connection", "no upgrade", "Connection does not say upgrade"),
        ("Sec_WebSocket_Accept", None, "does not fit the key"),
        ("Sec_WebSocket_Accept", "", "does not fit the key"),
        ("Sec_WebSocket_Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "does not fit the key"),
    ],
)
def test_w1_bad_answers(name: str, value: str | None, words: str) -> None:
    """W1."""
    handshake = ClientHandshake()
    assert words in refused(handshake, answer(handshake, **{name: value}))


def test_w1_the_accept_value_is_exact() -> None:
    """W1: its case counts, and it must not come twice."""
    handshake = ClientHandshake()
    value = accept_for(handshake)
    for wrong in (value.swapcase(), value[:-1], value + "=", f'"{value}"'):
        assert "does not fit" in refused(handshake, answer(handshake, Sec_WebSocket_Accept=wrong))
    twice = answer(handshake, ("Sec-WebSocket-Accept", value))
    assert refused(handshake, twice) == "Sec-WebSocket-Accept stands there 2 times"
    padded = answer(handshake, Sec_WebSocket_Accept=f" {value}\t")
    assert handshake.check(101, fields(padded)) == Accepted(None, None)


def test_w2_subprotocols() -> None:
    """W2: one of those that were offered, or none; in the case in which it was."""
    handshake = ClientHandshake(protocols=["chat", "chat.v2"])
    for chosen in (None, "chat", "chat.v2"):
        pairs = answer(handshake, Sec_WebSocket_Protocol=chosen)
        assert handshake.check(101, fields(pairs)) == Accepted(chosen, None)
    for wrong in ("", "Chat", "other", "chat, chat.v2"):
        pairs = answer(handshake, Sec_WebSocket_Protocol=wrong)
        assert refused(handshake, pairs) == "the server chose a subprotocol that was not offered"
    twice = answer(handshake, ("Sec-WebSocket-Protocol", "chat"), Sec_WebSocket_Protocol="chat")
    assert "2 times" in refused(handshake, twice)
    bare = ClientHandshake()
    assert "not offered" in refused(bare, answer(bare, Sec_WebSocket_Protocol="chat"))


D = "permessage-deflate"


@pytest.mark.parametrize(
    ("offer", "extension", "agreed"),
    [
        (DeflateOffer(), D, DeflateParameters()),
        (DeflateOffer(), f" {D} ; server_no_context_takeover", DeflateParameters(server_no_context_takeover=True)),
        (DeflateOffer(), f"{D}; client_no_context_takeover", DeflateParameters(client_no_context_takeover=True)),
        (DeflateOffer(), f"{D}; server_max_window_bits=8", DeflateParameters(server_max_window_bits=8)),
        (DeflateOffer(), f'{D}; server_max_window_bits="10"', DeflateParameters(server_max_window_bits=10)),
        (DeflateOffer(), f"{D};client_max_window_bits=8", DeflateParameters(client_max_window_bits=8)),
        (DeflateOffer(client_max_window_bits=12), D, DeflateParameters(client_max_window_bits=12)),
        (
            DeflateOffer(client_max_window_bits=12),
            f"{D}; client_max_window_bits=10",
            DeflateParameters(client_max_window_bits=10),
        ),
        (
            DeflateOffer(server_max_window_bits=12),
            f"{D}; server_max_window_bits=11",
            DeflateParameters(server_max_window_bits=11),
        ),
        (
            DeflateOffer(client_no_context_takeover=True, server_no_context_takeover=True),
            f"{D}; server_no_context_takeover",
            DeflateParameters(server_no_context_takeover=True, client_no_context_takeover=True),
        ),
    ],
)  # fmt: skip
def test_w3_agreements(offer: DeflateOffer, extension: str, agreed: DeflateParameters) -> None:
    """W3: RFC 7692 section 7.1."""
    handshake = ClientHandshake(deflate=offer)
    pairs = answer(handshake, Sec_WebSocket_Extensions=extension)
    assert handshake.check(101, fields(pairs)) == Accepted(None, agreed)


def test_w3_no_extension_is_no_compression() -> None:
    """W3: an offer may be declined; an empty field says nothing."""
    handshake = ClientHandshake(deflate=DeflateOffer())
    for value in (None, "", " , "):
        pairs = answer(handshake, Sec_WebSocket_Extensions=value)
        assert handshake.check(101, fields(pairs)) == Accepted(None, None)


@pytest.mark.parametrize(
    ("extension", "words"),
    [
        ("x-webkit-deflate-frame", "an extension that was not offered"),
        (f"{D}, {D}", "an extension that was not offered"),
        (f"{D}, other", "an extension that was not offered"),
        ("Permessage-Deflate", "an extension that was not offered"),
        (f"{D}; server_max_window_bits", "the value of server_max_window_bits is not 8 to 15"),
        (f"{D}; server_max_window_bits=7", "is not 8 to 15"),
        (f"{D}; server_max_window_bits=16", "is not 8 to 15"),
        (f"{D}; server_max_window_bits=08", "is not 8 to 15"),
        (f"{D}; server_max_window_bits=+9", "is not 8 to 15"),
        (f"{D}; server_max_window_bits=1000000", "is not 8 to 15"),
        (f"{D}; server_max_window_bits=\u0661\u0660", "malformed"),
        (f"{D}; client_max_window_bits", "the value of client_max_window_bits is not 8 to 15"),
        (f"{D}; client_max_window_bits=0", "is not 8 to 15"),
        (
            f"{D}; server_no_context_takeover=1",
            "the parameter server_no_context_takeover has a value",
        ),
        (f'{D}; client_no_context_takeover=""', "malformed"),
        (f"{D}; unknown", "the parameter 'unknown' is unknown"),
        (f"{D}; server_no_context_takeover; server_no_context_takeover", "stands there twice"),
        (f"{D}; server_max_window_bits=9; server_max_window_bits=9", "stands there twice"),
        (f"{D};", "malformed"),
        (f"{D} other", "malformed"),
        (f"{D}; server_max_window_bits=", "malformed"),
        (f"{D}; =9", "malformed"),
        ("=", "an extension has no name"),
        (f'{D}; server_max_window_bits="1 0"', "malformed"),
    ],
)
def test_w3_bad_extensions(extension: str, words: str) -> None:
    """W3: unknown, doubled, malformed, out of range."""
    handshake = ClientHandshake(deflate=DeflateOffer())
    assert words in refused(handshake, answer(handshake, Sec_WebSocket_Extensions=extension))


def test_w1_w3_extensions_that_nobody_asked_for() -> None:
    """W1, W3."""
    bare = ClientHandshake()
    assert "not offered" in refused(bare, answer(bare, Sec_WebSocket_Extensions=D))
    for offer, extension, words in (
        (DeflateOffer(client_max_window_bits=10), f"{D}; client_max_window_bits=11", "larger than"),
        (DeflateOffer(server_max_window_bits=10), f"{D}; server_max_window_bits=11", "larger than"),
        (DeflateOffer(server_no_context_takeover=True), D, "did not accept server_no_context"),
    ):
        handshake = ClientHandshake(deflate=offer)
        pairs = answer(handshake, Sec_WebSocket_Extensions=extension)
        assert words in refused(handshake, pairs)


def test_a_server_that_knows_no_limit_of_its_window() -> None:
    """Some answer every offer with the same words: that is no reason not to talk, and we can read what they send."""
    handshake = ClientHandshake(
        deflate=DeflateOffer(client_max_window_bits=12, server_max_window_bits=12)
    )
    words = f"{D}; server_no_context_takeover; client_no_context_takeover"
    pairs = answer(handshake, Sec_WebSocket_Extensions=words)
    verdict = handshake.check(101, FieldBlock(pairs))
    assert isinstance(verdict, Accepted)
    assert verdict.deflate == DeflateParameters(
        server_no_context_takeover=True,
        client_no_context_takeover=True,
        client_max_window_bits=12,
    )


def test_offers() -> None:
    assert DeflateOffer().encode() == f"{D}; client_max_window_bits"
    assert (
        DeflateOffer(
            server_no_context_takeover=True,
            client_no_context_takeover=True,
            server_max_window_bits=9,
            client_max_window_bits=10,
        ).encode()
        == f"{D}; server_no_context_takeover; client_no_context_takeover;"
        " server_max_window_bits=9; client_max_window_bits=10"
    )
    with pytest.raises(ValueError, match="server's window has 8 to 15 bits, not 16"):
        DeflateOffer(server_max_window_bits=16)
    with pytest.raises(ValueError, match="client's window has 9 to 15 bits, not 8"):
        DeflateOffer(client_max_window_bits=8)


def test_the_grammar_of_extensions() -> None:
    """RFC 6455 section 9.1: a list over several fields, in linear time."""
    assert parse_extensions(['a; b=c;d="e" , f', "", ",, g;h"]) == [
        Extension("a", (("b", "c"), ("d", "e"))),
        Extension("f", ()),
        Extension("g", (("h", None),)),
    ]
    assert len(parse_extensions(["a," * 20_000])) == 20_000
    with pytest.raises(ValueError, match="malformed"):
        parse_extensions(["a" + 20_000 * " ;"])


# --- The server's side.


def request(*more: tuple[str, str], **changed: str | None) -> CIMultiDictProxy[str]:
    good: dict[str, str | None] = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }
    good.update({name.replace("_", "-"): value for name, value in changed.items()})
    return fields([*((name, value) for name, value in good.items() if value is not None), *more])


@pytest.mark.parametrize(
    ("method", "head", "status", "words"),
    [
        ("POST", request(), 405, "the method is not GET"),
        ("GET", request(Upgrade=None), 426, "Upgrade is not websocket"),
        ("GET", request(Connection="close"), 426, "Connection does not say upgrade"),
        ("GET", request(Sec_WebSocket_Version="8"), 426, "Sec-WebSocket-Version is not 13"),
        ("GET", request(Sec_WebSocket_Version=None), 426, "Sec-WebSocket-Version is not 13"),
        ("GET", request(("Sec-WebSocket-Version", "13")), 400, "stands there 2 times"),
        ("GET", request(Sec_WebSocket_Key=None), 400, "not 16 octets in Base64"),
        ("GET", request(Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ"), 400, "not 16 octets"),
        ("GET", request(Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZR=="), 400, "not 16 octets"),
        ("GET", request(Sec_WebSocket_Extensions="a b"), 400, "malformed"),
    ],
)
def test_requests_that_a_server_refuses(
    method: str, head: CIMultiDictProxy[str], status: int, words: str
) -> None:
    verdict = answer_handshake(method, head, deflate=LIMITS)
    assert isinstance(verdict, HandshakeRefused)
    assert verdict.status == status
    assert words in verdict.reason


@pytest.mark.parametrize(
    ("offers", "limits", "agreed", "says"),
    [
        (D, LIMITS, LIMITS, D),
        (f"other, {D}", LIMITS, LIMITS, D),
        (f"{D}; client_max_window_bits", LIMITS, LIMITS, D),
        (
            f"{D}; client_max_window_bits=10; server_max_window_bits=15",
            LIMITS,
            DeflateParameters(client_max_window_bits=10),
            f"{D}; server_max_window_bits=15; client_max_window_bits=10",
        ),
        (
            f"{D}; server_max_window_bits=10; client_no_context_takeover",
            DeflateParameters(server_no_context_takeover=True, server_max_window_bits=12),
            DeflateParameters(
                server_no_context_takeover=True,
                client_no_context_takeover=True,
                server_max_window_bits=10,
            ),
            f"{D}; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10",
        ),
        # Of a client that cannot be told to use a smaller window, the second offer is taken; a malformed one is not.
        (
            f"{D}, {D}; unknown, {D}; client_max_window_bits",
            DeflateParameters(client_max_window_bits=11),
            DeflateParameters(client_max_window_bits=11),
            f"{D}; client_max_window_bits=11",
        ),
    ],
)  # fmt: skip
def test_a_server_chooses(
    offers: str, limits: DeflateParameters, agreed: DeflateParameters, says: str
) -> None:
    consent = answer_handshake("GET", request(Sec_WebSocket_Extensions=offers), deflate=limits)
    assert isinstance(consent, ServerAnswer)
    assert consent.deflate == agreed
    assert dict(consent.fields)["Sec-WebSocket-Extensions"] == says


@pytest.mark.parametrize("offers", ["", "other", f"{D}; unknown", f"{D}; server_max_window_bits=7"])
def test_a_server_declines(offers: str) -> None:
    for limits in (LIMITS, None):
        consent = answer_handshake("GET", request(Sec_WebSocket_Extensions=offers), deflate=limits)
        assert isinstance(consent, ServerAnswer)
        assert consent.deflate is None
        assert "Sec-WebSocket-Extensions" not in dict(consent.fields)


@pytest.mark.parametrize("server_bits", [None, 8, 12, 15])
@pytest.mark.parametrize("client_bits", [9, 12, 15])
@pytest.mark.parametrize("takeover", [False, True])
@pytest.mark.parametrize(
    "limit", [LIMITS, DeflateParameters(server_max_window_bits=10, client_max_window_bits=10)]
)
def test_both_sides_understand_the_same(
    server_bits: int | None, client_bits: int, takeover: bool, limit: DeflateParameters
) -> None:
    """Each offer, answered by the server's side, is what the client's side reads; headers may be http-core's too."""
    offer = DeflateOffer(
        server_no_context_takeover=not takeover,
        client_no_context_takeover=takeover,
        server_max_window_bits=server_bits,
        client_max_window_bits=client_bits,
    )
    handshake = ClientHandshake(protocols=["a", "b"], deflate=offer)
    consent = answer_handshake("GET", FieldBlock(handshake.fields), protocols=["b"], deflate=limit)
    assert isinstance(consent, ServerAnswer)
    verdict = handshake.check(101, fields(consent.fields))
    assert isinstance(verdict, Accepted)
    assert verdict.protocol == consent.protocol == "b"
    agreed = verdict.deflate
    assert agreed is not None
    assert consent.deflate is not None
    assert agreed.client_max_window_bits <= min(client_bits, limit.client_max_window_bits)
    assert agreed.client_max_window_bits == consent.deflate.client_max_window_bits
    assert agreed.server_max_window_bits == consent.deflate.server_max_window_bits
    assert agreed == consent.deflate
