"""`Redaction`: what is a secret, by its name, wherever the name stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare import Redaction

REDACTION = Redaction()


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Authorization", "Bearer abc.def", "Bearer ***"),
        ("Proxy-Authorization", "Basic dXNlcjpwYXNz", "Basic ***"),
        ("Authorization", "abcdef", "***"),
        ("Cookie", "sid=1; theme=a=b;x", "sid=***; theme=***;***"),
        ("Set-Cookie", "sid=1=2; Path=/", "sid=***; Path=/"),
        ("Set-Cookie", "sid", "***"),
        ("Set-Cookie", "", ""),
        ("X-API-Key", "k", "***"),
        ("X-Auth-Token", "Token abc", "***"),
        ("Accept", "text/html", "text/html"),
        ("Idempotency-Key", "7", "7"),
        ("Sec-WebSocket-Key", "x", "x"),
        ("Location", "https://u:p@h/cb?code=1&access_token=s#id_token=t&a=b",
         "https://h/cb?code=1&access_token=***#id_token=***&a=b"),
        ("Link", '</next?token=s>; rel="next"', '</next?token=***>; rel="next"'),
        ("X-Query", "a?token=s", "a?token=s"),
    ],
)  # fmt: skip
def test_y10_a_field_is_shown_without_its_secret(name: str, value: str, shown: str) -> None:
    assert REDACTION.field(name, value) == shown
    assert REDACTION.fields([(name, value)]) == [(name, shown)]
    assert REDACTION.fields({name: value}) == [(name, shown)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://h/a?q=1&apiKey=2", "https://h/a?q=1&apiKey=***"),
        ("https://h/a?api%5Fkey=2", "https://h/a?api%5Fkey=***"),
        ("failed: http://joe:pw@h/?s=1 and http://h/?signature=1",
         "failed: http://h/?s=1 and http://h/?signature=***"),
        ("//joe:pw@h/a", "//h/a"),
        ("https://h/a?sig=1&accesstoken=2&PHPSESSID=3&signal=4&tokens=5",
         "https://h/a?sig=***&accesstoken=***&PHPSESSID=***&signal=4&tokens=5"),
        ("https://h/cb?code=1&code_verifier=2", "https://h/cb?code=1&code_verifier=***"),
        ("https://h/a;session=1", "https://h/a;session=***"),
        ("/a?b?token=1", "/a?b?token=***"),
        (200_000 * "?", 200_000 * "?"),  # took eight minutes
        ("nothing here", "nothing here"),
    ],
)  # fmt: skip
def test_y10_a_url_is_shown_without_its_secrets(text: str, shown: str) -> None:
    assert REDACTION.text(text) == shown


@pytest.mark.parametrize(
    ("media_type", "text", "shown"),
    [
        ("application/x-www-form-urlencoded", "user=joe&password=a%26b",
         "user=joe&password=***"),
        ("application/x-www-form-urlencoded", "user=joe&empty=", "user=joe&empty="),
        ("application/json; charset=utf-8", '{"clientSecret": "s", "a": [{"token": 5, "b": 1}]}',
         '{"clientSecret": "***", "a": [{"token": "***", "b": 1}]}'),
        ("application/problem+json", '{"secret": {"deep": 1}}', '{"secret": "***"}'),
        ("application/json", '{"token": null, "secret": true, "password": false}',
         '{"token": null, "secret": true, "password": false}'),
        ("application/json", '{"a":1}', '{"a":1}'),
        ("application/json", '{"token": ', '{"token": '),
        ("application/json", '{"token": "a\\"b", "x": "y', '{"token": "***", "x": "y'),
        ("application/json", '{"x": 1, "token": "cut of', '{"x": 1, "token": "***"'),
        ("application/json", '{"token": "cut\\', '{"token": "***"'),
        ("application/json", '{"token" : 123, "ok": true, "secret": nu',
         '{"token" : "***", "ok": true, "secret": "***"'),
        ("application/json", '{"token": true, "secret": null, "x', '{"token": true, "secret": null, "x'),
        ("application/json", '{"a": 1, "credentials": ["s1", "token"], "x',
         '{"a": 1, "credentials": "***"'),
        ("application/json", '{"secret": {"deep": "s"}, "a', '{"secret": "***"'),
        ("application/json", '\ufeff{"token": "s", "a": "b"}', '\ufeff{"token": "***", "a": "b"}'),
        ("application/json", '{"to\\u006ben": "s", "a', '{"to\\u006ben": "***", "a'),
        ("application/json", '{"to\\qken": "s", "a', '{"to\\qken": "s", "a'),
        ("application/json", '{"a": "\\"token\\": ", "b', '{"a": "\\"token\\": ", "b'),
        ("application/json", '{"token": "s"}\n{"token": "t"}', '{"token": "***"}\n{"token": "***"}'),
        ("application/json", "[" * 100_000, "[" * 100_000),
        ("application/json", '"' + 50_000 * '\\"', '"' + 50_000 * '\\"'),
        ("application/json", '{"token": "s", "token": null}', '{"token": "***", "token": null}'),
        ("application/json", '{"a": {"token": "s"}, "a": 1}', '{"a": {"token": "***"}, "a": 1}'),
        ("application/json", '[{"a": 1, "a": 2}]', '[{"a": 1, "a": 2}]'),
        ("application/json", '{"a": 1, "a": {"secret": ["s"]}}', '{"a": 1, "a": {"secret": "***"'),
        ("text/json", '{"token": "s"}', '{"token": "***"}'),
        ("application/x-ndjson", '{"token": "s"}\r\n\n{"a":1}\n {"secret": ["s"]}\n',
         '{"token": "***"}\r\n\n{"a":1}\n {"secret": "***"}\n'),
        ("application/jsonl", '{"token": "s"}\n{"token": "cut of', '{"token": "***"}\n{"token": "***"'),
        ("application/ndjson", '{"secret": {\n"deep": "s"}}\n{"a": 1}', '{"secret": "***"'),
        ("application/ndjson", '{"a":\u2028', '{"a":\u2028'),
        ("application/stream+json", '{"token": "s"}\n[]\n', '{"token": "***"}\n[]\n'),
        ("application/geo+json-seq", '\x1e{"token":\n"s"}\n\x1e{"a":\n1}\n',
         '\x1e{"token": "***"}\n\x1e{"a":\n1}\n'),
        ("text/plain", "token=1", "token=1"),
        ("", "token=1", "token=1"),
    ],
)  # fmt: skip
def test_y10_content_is_shown_without_its_secrets(media_type: str, text: str, shown: str) -> None:
    assert REDACTION.content(media_type, text) == shown


@pytest.mark.parametrize(
    ("media_type", "octets", "shown"),
    [
        ("application/json", b'{"token": "\xff"}', b'{"token": "***"}'),
        ("application/json", b'{"name": "\xff"}', b'{"name": "\xff"}'),
        ("application/json", '{"token": "s"}'.encode("utf-16-le"), b'{"token": "***"}'),
        ("application/json", b"", b""),
        ("application/x-www-form-urlencoded", b"a=1&token=\xff", b"a=1&token=***"),
        ("image/png", b'\xff{"token": "s"}', b'\xff{"token": "s"}'),
    ],
)
def test_y10_octets_are_shown_without_their_secrets(
    media_type: str, octets: bytes, shown: bytes
) -> None:
    assert REDACTION.octets(media_type, octets) == shown


def parts(*heads_and_bodies: tuple[str, str], boundary: str = "b", end: str = "\r\n") -> str:
    """Multipart content."""
    written = [f"--{boundary}{end}{head}{end * 2}{body}{end}" for head, body in heads_and_bodies]
    return f"{''.join(written)}--{boundary}--{end}"


def form_field(name: str, more: str = "") -> str:
    return f'Content-Disposition: form-data; name="{name}"{more}'


MIXED = "multipart/mixed; boundary=b"


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize(
    ("head", "body", "shown"),
    [
        (form_field("user"), "joe", "joe"),
        (form_field("password"), "a\r\n--bc\r\nb", "***"),
        (form_field("token"), "", ""),
        (form_field("userPassword", '; filename="key.pem"'), "octets", "***"),
        ("content-disposition: form-data; name=api_key; filename*=UTF-8''x", "s", "***"),
        (form_field("file", "; filename=password"), "text", "text"),
        ("Content-Type: application/json", '{"token": "s"}', '{"token": "***"}'),
        ("Content-Type: application/ndjson", '{"token": "s"}\n', '{"token": "***"}\n'),
        ("Content-Type: application/x-www-form-urlencoded", "sig=s&a=1", "sig=***&a=1"),
        (f"Content-Type: application/json\r\n{form_field('meta')}", '{"secret": 1}',
         '{"secret": "***"}'),
        ("Content-Type: application/json\r\nContent-Transfer-Encoding: base64", "eyJ9", "***"),
        ("Content-Type: application/json\r\nContent-Encoding: gzip", "coded", "***"),
        ("Content-Type: application/json\r\nContent-Transfer-Encoding: 8bit", "[]", "[]"),
        ("Content-Type: image/png\r\nContent-Transfer-Encoding: base64", "coded", "coded"),
        ("Content-Type: multipart/mixed; boundary=in", parts((form_field("pwd"), "s"), boundary="in"),
         parts((form_field("pwd"), "***"), boundary="in")),
        ("Content-Type: multipart/mixed", "--x\r\n", "--x\r\n"),
        ("X: y", "token=1", "token=1"),
        ("", "token=1", "token=1"),
    ],
)  # fmt: skip
def test_y10_parts_are_shown_without_their_secrets(
    end: str, head: str, body: str, shown: str
) -> None:
    """The others stay as they are, to the octet."""
    other = (form_field("a"), "1")
    given, expected = (
        parts(other, (head.replace("\r\n", end), content), other, end=end)
        for content in (body, shown)
    )
    media_type = 'Multipart/Form-Data; charset=utf-8; boundary="b"'
    assert REDACTION.content(media_type, f"before{end}{given}") == f"before{end}{expected}"
    assert REDACTION.octets(media_type, given.encode()) == expected.encode()


def test_y10_the_heads_of_parts_have_secrets_too() -> None:
    shown = REDACTION.content(MIXED, parts(("Set-Cookie: sid=s; Secure\r\nX-Token:t\r\nX: y", "")))
    assert shown == parts(("Set-Cookie: sid=***; Secure\r\nX-Token: ***\r\nX: y", ""))


def test_y10_parts_that_are_cut_off() -> None:
    """Wherever the cut is, nothing of a secret is shown, and everything else is."""
    whole = parts(
        (form_field("a"), "1"), (form_field("token"), "hush"), (form_field("b"), "2")
    ).encode()
    for end in range(len(whole)):
        shown = REDACTION.octets(MIXED, whole[:end])
        cut = whole[:end].partition(b"hush")[0]
        for octets in (b"hush", b"hus", b"hu"):
            assert octets not in shown
        assert shown.startswith(
            cut[: cut.find(b'"token"\r\n\r\n') + 11] if b'"token"' in cut else cut
        )


def test_y10_what_is_binary_stays_so() -> None:
    octets = parts((form_field("file"), "\xff\0\xfe"), (form_field("pwd"), "\xff")).encode(
        "latin-1"
    )
    shown = parts((form_field("file"), "\xff\0\xfe"), (form_field("pwd"), "***")).encode("latin-1")
    assert REDACTION.octets(MIXED, octets) == shown
    assert REDACTION.octets("multipart/mixed", octets) == octets
    assert REDACTION.octets("multipart/", octets) == octets


def test_y10_of_what_is_too_deep_nothing_is_shown() -> None:
    head, text = form_field("pwd"), "hush"
    for depth in range(6):
        text = parts((head, text), boundary=f"b{depth}")
        head = f"Content-Type: multipart/mixed; boundary=b{depth}"
    shown = REDACTION.content("multipart/mixed; boundary=b5", text)
    assert "hush" not in shown
    assert "--b1" in shown
    assert "--b0" not in shown
    deep = b"".join(
        b"--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" for _ in range(10_000)
    )
    REDACTION.octets("multipart/mixed; boundary=a", deep)


def test_names_may_be_added_and_taken_away() -> None:
    redaction = Redaction(["X-Internal"], ["Key", "set-cookie"])
    assert redaction.is_secret("x-internal")
    assert not redaction.is_secret("key")
    assert not redaction.is_secret("Set-Cookie")
    assert redaction.is_secret("api-key")


def test_another_mark_and_more_names() -> None:
    redaction = Redaction(harmless=["key"], mark="?").with_names(["Sig"])
    assert redaction.text("http://h/?sig=1&key=2&token=3") == "http://h/?sig=?&key=2&token=?"
    assert redaction.field("Authorization", "Basic abc") == "Basic ?"


@pytest.mark.parametrize("arguments", [("token",), ((), "token")])
def test_one_name_is_not_several(arguments: tuple[str, ...]) -> None:
    with pytest.raises(TypeError, match="several names, not one"):
        Redaction(*arguments)


@given(st.text(max_size=60))
def test_any_text_can_be_shown(text: str) -> None:
    for media_type in (
        "application/json",
        "application/ndjson",
        "application/x-www-form-urlencoded",
        "multipart/mixed; boundary=b",
    ):
        REDACTION.content(media_type, text)
        REDACTION.content(media_type, f"--b\r\n{text}\r\n\r\n{text}\r\n--b--")
    assert "hunter2" not in REDACTION.text(f"{text} http://h/?password=hunter2")
