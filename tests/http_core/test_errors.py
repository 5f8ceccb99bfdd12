"""The exception tree: its shape, its words, and that every error survives pickling and copying."""

import copy
import errno
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from wayfare_http_core import _errors as errors


@dataclass(frozen=True)
class Request:
    """A request as a session would describe it, small and picklable."""

    url: str
    method: str
    headers: tuple[tuple[str, str], ...]
    real_url: str


REQUEST = Request("http://a/", "GET", (("Authorization", "Basic c2VjcmV0"),), "http://a/#f")
FIELDS = CIMultiDictProxy(CIMultiDict([("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X", "y")]))

SAMPLES: dict[type[BaseException], tuple[Callable[[], BaseException], str]] = {
    errors.ClientError: (lambda: errors.ClientError("no", 1), "('no', 1)"),
    errors.ClientResponseError: (
        lambda: errors.ClientResponseError(
            REQUEST,  # type: ignore[arg-type]  # pairs in place of a mapping: it has to pickle
            (),
            status=404,
            message="Not Found",
            headers=FIELDS,
        ),
        "404, message='Not Found', url='http://a/#f'",
    ),
    errors.HttpProcessingError: (
        lambda: errors.HttpProcessingError(code=502, message="no HTTP", headers=FIELDS),
        "no HTTP",
    ),
    errors.BadHttpMessage: (
        lambda: errors.BadHttpMessage("two Host fields", headers=FIELDS),
        "two Host fields",
    ),
    errors.BadStatusLine: (
        lambda: errors.BadStatusLine(b"HTP\x00\xe9" + 200 * b"x"),
        'malformed status line: "HTP\\x00\\xe9' + 95 * "x" + '"',
    ),
    errors.UnsupportedVersionError: (
        lambda: errors.UnsupportedVersionError(b"ICY 200 OK"),
        'neither HTTP/1.0 nor HTTP/1.1: "ICY 200 OK"',
    ),
    errors.InvalidHeader: (
        lambda: errors.InvalidHeader("a b:\n", "space in a field name"),
        'space in a field name: "a b:\\n"',
    ),
    errors.LineTooLong: (
        lambda: errors.LineTooLong(9000 * b"\\", 8190, 9000),
        'more than 8190 octets, 9000 arrived: "' + 100 * "\\\\" + '"',
    ),
    errors.PayloadEncodingError: (lambda: errors.PayloadEncodingError("odd"), "odd"),
    errors.TransferEncodingError: (lambda: errors.TransferEncodingError("size"), "size"),
    errors.ContentLengthError: (lambda: errors.ContentLengthError("5, 6"), "5, 6"),
    errors.ContentEncodingError: (lambda: errors.ContentEncodingError("CRC"), "CRC"),
    errors.ClientConnectionError: (lambda: errors.ClientConnectionError("gone"), "gone"),
    errors.ClientOSError: (
        lambda: errors.ClientOSError(errno.ECONNREFUSED, "refused", "/a/socket"),
        f"[Errno {errno.ECONNREFUSED}] refused: '/a/socket'",
    ),
    errors.ClientConnectionResetError: (
        lambda: errors.ClientConnectionResetError(errno.ECONNRESET, "reset"),
        f"[Errno {errno.ECONNRESET}] reset",
    ),
    errors.ServerConnectionError: (lambda: errors.ServerConnectionError(), ""),
    errors.ServerDisconnectedError: (
        lambda: errors.ServerDisconnectedError(),
        "the server closed the connection",
    ),
    errors.ServerTimeoutError: (lambda: errors.ServerTimeoutError("slow"), "slow"),
    errors.SocketTimeoutError: (lambda: errors.SocketTimeoutError("idle"), "idle"),
    errors.SlowTransferError: (
        lambda: errors.SlowTransferError(1000, 10.0),
        "fewer than 1000 octets per second arrived for 10 seconds",
    ),
    errors.FirstByteTimeoutError: (
        lambda: errors.FirstByteTimeoutError(2.5),
        "no answer began within 2.5 s of the end of the request",
    ),
    errors.ReadTimeoutError: (lambda: errors.ReadTimeoutError(3), "nothing arrived for 3 s"),
    errors.WriteTimeoutError: (
        lambda: errors.WriteTimeoutError(0.5),
        "the peer took nothing of the request for 0.5 s",
    ),
    errors.ClientPayloadError: (lambda: errors.ClientPayloadError("bad"), "bad"),
    errors.IncompleteBodyError: (
        lambda: errors.IncompleteBodyError(3, 10),
        "the connection ended after 3 of 10 octets, 7 are missing",
    ),
    errors.BodyTooLargeError: (
        lambda: errors.BodyTooLargeError(1000),
        "the body is larger than the limit of 1000 octets",
    ),
    errors.UploadAbortedError: (lambda: errors.UploadAbortedError("stopped"), "stopped"),
}


def contents(error: BaseException) -> tuple[Any, ...]:
    return (
        type(error),
        error.args,
        error.__dict__,
        str(error),
        repr(error),
        getattr(error, "errno", None),
        getattr(error, "filename", None),
    )


def test_every_class_has_a_sample() -> None:
    classes = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, BaseException)
    }
    assert classes == set(SAMPLES)
    assert {cls.__name__ for cls in classes} <= set(errors.__all__)
    assert all(hasattr(errors, name) for name in errors.__all__)


@pytest.mark.parametrize("cls", SAMPLES, ids=lambda cls: cls.__name__)
def test_message(cls: type[BaseException]) -> None:
    make, text = SAMPLES[cls]
    assert type(make()) is cls
    assert str(make()) == text


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("cls", SAMPLES, ids=lambda cls: cls.__name__)
def test_pickles(cls: type[BaseException], protocol: int) -> None:
    error = SAMPLES[cls][0]()
    error.add_note("seen while testing")
    again = pickle.loads(pickle.dumps(error, protocol))
    assert contents(again) == contents(error)
    assert type(getattr(again, "headers", None)) is type(getattr(error, "headers", None))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
@pytest.mark.parametrize("cls", SAMPLES, ids=lambda cls: cls.__name__)
def test_copies(cls: type[BaseException], copied: Callable[[BaseException], Any]) -> None:
    error = SAMPLES[cls][0]()
    assert contents(copied(error)) == contents(error)


@pytest.mark.parametrize(
    ("cls", "bases"),
    [
        (errors.ClientOSError, (errors.ClientConnectionError, OSError)),
        (errors.ClientConnectionResetError, (errors.ClientConnectionError, ConnectionResetError)),
        (errors.ServerDisconnectedError, (errors.ServerConnectionError,)),
        (errors.ServerTimeoutError, (errors.ServerConnectionError, TimeoutError)),
        (errors.SocketTimeoutError, (errors.ServerTimeoutError,)),
        (errors.FirstByteTimeoutError, (errors.SocketTimeoutError,)),
        (errors.ReadTimeoutError, (errors.SocketTimeoutError,)),
        (errors.WriteTimeoutError, (errors.SocketTimeoutError,)),
        (errors.SlowTransferError, (errors.SocketTimeoutError,)),
        (errors.BadHttpMessage, (errors.HttpProcessingError, errors.ClientResponseError)),
        (errors.UnsupportedVersionError, (errors.BadStatusLine,)),
        (errors.TransferEncodingError, (errors.BadHttpMessage, errors.ClientPayloadError)),
        (errors.ContentLengthError, (errors.BadHttpMessage, errors.ClientPayloadError)),
        (errors.ContentEncodingError, (errors.BadHttpMessage, errors.ClientPayloadError)),
        (errors.IncompleteBodyError, (errors.ClientPayloadError,)),
        (errors.UploadAbortedError, (errors.ClientError,)),
    ],
)
def test_bases(cls: type[BaseException], bases: tuple[type[BaseException], ...]) -> None:
    assert all(issubclass(cls, base) for base in bases)
    assert all(issubclass(each, errors.ClientError) for each in SAMPLES)


def test_response_error_defaults() -> None:
    error = errors.ClientResponseError(None)
    assert (error.status, error.message, error.headers, error.history) == (0, "", None, ())
    assert str(error) == "0, message=''"
    with pytest.warns(DeprecationWarning, match="status"):
        assert error.code == 0


def test_protocol_errors_carry_the_code_without_a_warning() -> None:
    assert errors.HttpProcessingError(code=417).code == 417
    assert errors.HttpProcessingError().code == 0
    assert errors.BadHttpMessage("x").code == 400


def test_plain_mapping_of_fields_is_kept_as_given() -> None:
    error = errors.HttpProcessingError(headers={"a": "b"})
    assert pickle.loads(pickle.dumps(error)).headers == {"a": "b"}


def test_setstate_without_a_state() -> None:
    error = errors.HttpProcessingError(code=5)
    error.__setstate__(None)
    assert error.status == 5


def test_session_fills_in_the_request() -> None:
    error = errors.InvalidHeader(b"a")
    error.request_info = REQUEST  # type: ignore[assignment]  # see above
    again = pickle.loads(pickle.dumps(error))
    assert again.request_info == REQUEST
    assert str(again) == "malformed field line: \"a\", url='http://a/#f'"


@pytest.mark.parametrize(
    "url",
    ["http://user:pa%20ss@host/p", "http://user:p@ss@host/p", "http://user@host/p"],
)
def test_h28_y10_no_credentials_in_words(url: str) -> None:
    """H28, Y10: neither request fields nor a URL's userinfo show in a message or a repr."""
    info = Request(url, "GET", (("Authorization", "Basic c2VjcmV0"),), url)
    error = errors.ClientResponseError(info, status=500)  # type: ignore[arg-type]  # see above
    for text in (str(error), repr(error)):
        assert "'http://host/p'" in text
        assert "c2VjcmV0" not in text
        assert "user" not in text


def test_at_sign_after_the_authority_stays() -> None:
    info = Request("", "GET", (), "http://host/a@b?c@d")
    error = errors.ClientResponseError(info)  # type: ignore[arg-type]  # see above
    assert "http://host/a@b?c@d" in str(error)


@pytest.mark.parametrize("make", [bytes, bytearray])
def test_h28_excerpt_of_any_buffer(make: Callable[[bytes], bytes]) -> None:
    """H28: 100 octets are kept, in the message, the attribute and `args` alike."""
    error = errors.BadStatusLine(make(1000 * b"\xff"))
    assert error.line == 100 * "\\xff"
    assert len(error.args[0]) == errors.EXCERPT_OCTETS
    assert len(str(error)) < 500


def test_lengths_that_are_not_known() -> None:
    assert str(errors.LineTooLong("head", 10)) == 'more than 10 octets: "head"'
    assert (
        str(errors.IncompleteBodyError(7))
        == "the connection ended after 7 octets, before the end of the body"
    )


def test_disconnected_message() -> None:
    error = errors.ServerDisconnectedError("closed while idle")
    assert error.message == str(error) == "closed while idle"
