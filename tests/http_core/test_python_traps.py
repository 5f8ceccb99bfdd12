"""Where Python is lenient and HTTP is not: the rules Y1 to Y10, as lint and as behaviour.

What the workspace's source rules check for every package (int(), patterns, assertions, imports) is
not repeated here.
"""

import ast
import asyncio
import logging
import re
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import wayfare_http_core
from wayfare_http_core import (
    BasicAuth,
    ClientResponseError,
    ContentLengthError,
    FieldBlock,
    RequestHead,
    content_length,
    encode_request_head,
    parse_content_codings,
    parse_media_type,
)
from wayfare_http_core._grammar import is_digits, is_field_content, is_token, token_list

from tests.cpu_time import takes_less

Respond = Callable[..., Any]

FOLDER = Path(wayfare_http_core.__file__).parent
SOURCES = sorted(path for path in FOLDER.rglob("*.py") if "testing" not in path.parts)

# What Unicode has beside the ASCII that HTTP means.
DIGITS = ["\u0661", "\u00b2", "\u2460", "\uff15", "\U0001d7d8", "\u09e7"]
SPACES = [
    "\x0b",
    "\x0c",
    "\x1c",
    "\x1d",
    "\x1e",
    "\x1f",
    "\x85",
    "\xa0",
    "\u2003",
    "\u2028",
    "\ufeff",
]
LOOKALIKES = [("\u212a", "k"), ("\u017f", "s"), ("\u0131", "i"), ("\u0130", "i")]


def calls() -> Iterator[tuple[Path, ast.Call, str]]:
    """Every method or function call in the package, with the name that is called."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                function = node.func
                name = function.attr if isinstance(function, ast.Attribute) else ""
                yield path, node, name or getattr(function, "id", "")


def test_there_is_source_to_look_at() -> None:
    assert len(SOURCES) > 20
    assert sum(1 for _ in calls()) > 500


@pytest.mark.parametrize("digit", DIGITS)
def test_y1_digits_of_other_scripts(digit: str) -> None:
    """Y1: they are digits to Python and none to HTTP."""
    assert digit.isdigit()
    assert not is_digits(digit)
    assert not is_digits(f"1{digit}")


@pytest.mark.parametrize("text", ["", " 5", "5 ", "+5", "-5", "1_0", "5\n", "0x5", "5.0", "5e1"])
def test_y1_numbers_that_python_would_read(respond: Respond, text: str) -> None:
    """Y1: nor is what int() and float() forgive."""
    assert not is_digits(text)
    wire = b"HTTP/1.1 200 OK\r\nContent-Length: 1%b1\r\n\r\n" % text.encode()
    if text not in ("", "5"):
        assert isinstance(respond(wire).error, ContentLengthError) or "\n" in text


@pytest.mark.parametrize("count", [19, 20, 4299, 4300, 4301, 10_000])
def test_y1_more_digits_than_int_reads(respond: Respond, count: int) -> None:
    """Y1: numbers past the limit of int() are errors of ours, whatever they are made of."""
    for digit in (b"9", b"0"):
        outcome = respond(
            b"HTTP/1.1 200 OK\r\nContent-Length: %b\r\n\r\n" % (count * digit), bytewise=False
        )
        assert isinstance(outcome.error, ContentLengthError) is (digit == b"9")
        assert outcome.complete is (digit == b"0")
    fields = FieldBlock([("Content-Length", (count + 1) * "9")])
    with pytest.raises(ValueError, match="Content-Length"):
        encode_request_head(RequestHead("POST", "http", "h", "/", fields), None)


def test_y2_no_method_that_knows_other_white_space() -> None:
    """Y2: bare strip(), split() and their kin act on more than SP and HTAB."""
    greedy = {"strip", "lstrip", "rstrip", "split", "rsplit"}
    never = {"splitlines", "isdigit", "isdecimal", "isnumeric", "isspace", "isalnum", "isalpha"}
    found = [
        f"{path.name}:{node.lineno} {name}"
        for path, node, name in calls()
        if name in never or (name in greedy and not node.args)
    ]
    assert found == []


@pytest.mark.parametrize("space", SPACES)
def test_y2_other_white_space_is_content(respond: Respond, space: str) -> None:
    """Y2: it is kept or refused, and never trimmed."""
    assert token_list([f"{space}close{space}"]) != ["close"]
    assert parse_content_codings([f"gzip{space}"]) != ["gzip"]
    wire = f"HTTP/1.1 204 x\r\nConnection: {space}close\r\n\r\n".encode()
    outcome = respond(wire)
    # A control character is refused, anything else makes it another option than close.
    assert outcome.reusable is (outcome.error is None)
    assert (outcome.error is None) is is_field_content(space)


@pytest.mark.parametrize(
    "check", [is_token, is_digits, is_field_content], ids=lambda check: check.__name__
)
def test_y3_a_newline_at_the_end_is_no_end(check: Callable[[str], bool]) -> None:
    r"""Y3: `$` would let it pass."""
    assert check("5")
    assert not check("5\n")
    assert not check("\n")


def test_y3_patterns_cost_linear_time() -> None:
    """Y3: no pattern of the package goes wild on what almost matches."""
    patterns: dict[str, re.Pattern[Any]] = {}
    for path in SOURCES:
        parts = path.relative_to(FOLDER.parent).with_suffix("").parts
        module = __import__(".".join(parts), fromlist=["_"])
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                patterns[f"{module.__name__}.{name}"] = value
    assert len(patterns) > 10
    pumps = list('a \t;"\\,10\r\n/[:@%=.-\xe9')
    pumps += [";a", ";a=b", '\\"', "a=", ' ; a = "b"', "a ", "a/b", "//", "Basic "]
    for name, pattern in patterns.items():
        for pump in pumps:
            for prefix in ("", ";", "a/b;", ';a="', "//", "Basic ", "/", "["):
                text: Any = prefix + 20_000 // len(pump) * pump + "\x00"
                if isinstance(pattern.pattern, bytes):
                    text = text.encode("latin-1")
                for match in (pattern.match, pattern.fullmatch):
                    # A quadratic match of 20,000 characters takes about a second.
                    quick = takes_less(0.1, partial(match, text))
                    assert quick, f"{name} on {prefix!r} and many {pump!r}"


@pytest.mark.parametrize(("character", "ascii_letter"), LOOKALIKES)
def test_y4_lookalikes(character: str, ascii_letter: str) -> None:
    """Y4: letters that fold to ASCII ones are not them."""
    assert ascii_letter in {character.lower()[:1], character.casefold(), character.upper().lower()}
    assert not is_token(character)
    option = f"a{character}b"
    assert token_list([option]) == [option]
    assert parse_content_codings([option]) == [option]
    media = parse_media_type(f"text/{character}")
    assert media is None


def test_y4_lower_case_is_of_ascii_only() -> None:
    """Y4: each call that folds is in a place where the text was checked before."""
    checked = {
        "_grammar.py",  # token_list, with isascii() beside it
        "_fields.py",  # names that encode_field took for tokens, and the names asked for
        "_chunked.py",  # names that parse_fields took for tokens
        "_media_type.py",  # what _TOKEN matched
        "_field_lines.py",  # our own constants
        "_outgoing.py",  # names of a FieldBlock, which are tokens
        "_request_writer.py",  # the same
    }
    folding = {"lower", "upper", "casefold", "title", "capitalize", "swapcase"}
    assert {path.name for path, _, name in calls() if name in folding} == checked


def test_y7_no_writelines() -> None:
    """Y7: on some versions it does not pause the writer (CVE-2024-12254)."""
    assert [str(path) for path, _, name in calls() if name == "writelines"] == []


def test_y9_nothing_blocks() -> None:
    """Y9: no name look-up, no file and no sleep in code that runs on a loop."""
    blocking = {
        "open",
        "getfqdn",
        "gethostbyaddr",
        "gethostbyname",
        "getaddrinfo",
        "sleep",
        "input",
    }
    blocking |= {"load_cert_chain", "load_verify_locations", "load_default_certs", "read_text"}
    found = [
        f"{path.name}:{node.lineno} {name}" for path, node, name in calls() if name in blocking
    ]
    # asyncio.sleep(0) gives way.
    giving_way = ("_stream_reader.py", "_patience.py", "_upload_task.py")
    assert [each for each in found if not each.startswith(giving_way)] == []


class Info:
    """A request with secrets in every place that has one."""

    url = real_url = "http://user:swordfish@host/path"
    method = "GET"
    headers = {"Authorization": "Bearer swordfish", "Cookie": "s=swordfish"}  # noqa: RUF012  # data of a test


def test_y10_secrets_do_not_show(caplog: pytest.LogCaptureFixture) -> None:
    """Y10: neither in a repr nor in a message, nor in what a traceback prints."""
    block = FieldBlock([("Authorization", "Bearer swordfish"), ("Cookie", "s=swordfish")])
    head = RequestHead("GET", "http", "host", "/?token=swordfish", block)
    shown: list[object] = [block, head, BasicAuth("user", "swordfish")]
    with caplog.at_level(logging.DEBUG):
        for each in shown:
            logging.getLogger("test").debug("%s %r", each, each)
    errors: list[BaseException] = [ClientResponseError(Info(), status=401)]

    for name, value in (
        ("Bad Name", "swordfish"),
        ("Name", "swordfish\n"),
        ("N", "swordfish\ud800"),
    ):
        with pytest.raises(ValueError, match="field") as caught:
            FieldBlock([(name, value)])
        errors.append(caught.value)
    for error in errors:
        caplog.messages.append("".join(traceback.format_exception_only(error)) + repr(error))
        assert "swordfish" not in "".join(traceback.format_exception_only(error))
        assert "swordfish" not in repr(error)
    assert "swordfish" not in caplog.text


def test_y10_a_response_shows_no_values(respond: Respond) -> None:
    """Y10: Set-Cookie is a secret too."""
    outcome = respond(b"HTTP/1.1 204 x\r\nSet-Cookie: s=swordfish\r\n\r\n")
    assert "swordfish" not in repr(outcome.head)


def test_content_length_of_no_field(respond: Respond) -> None:
    """None is not zero."""
    assert content_length(respond(b"HTTP/1.1 204 x\r\n\r\n").head.headers) is None


def test_importing_needs_no_loop() -> None:
    """Nothing of the package binds to a loop when it is imported."""
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
