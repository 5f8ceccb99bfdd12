"""`ClientRequest`: plain data until it is sent."""

import copy
import pickle

import pytest
import wayfare
from wayfare._bodies import EncodedBody, UntypedBody, encoded_body
from wayfare._settings import RequestSettings
from wayfare._urls import prepare_url
from wayfare_http_core import FieldBlock
from yarl import URL


def make_request(*fields: tuple[str, str]) -> wayfare.ClientRequest:
    prepared = prepare_url(URL("http://h/x"))
    timeout = wayfare.ClientTimeout()
    return wayfare.ClientRequest(
        "GET", prepared, FieldBlock(fields), None, timeout, RequestSettings()
    )


def test_fields_are_the_given_ones_until_they_are_changed() -> None:
    request = make_request(("X-A", "1"))
    block = request.fields
    assert request.fields is block
    request.headers["x-b"] = "2"
    assert request.fields.pairs == (("X-A", "1"), ("x-b", "2"))
    assert block.pairs == (("X-A", "1"),)


def test_fields_that_were_only_looked_at_are_not_made_again() -> None:
    prepared = prepare_url(URL("http://h/x"))
    block = FieldBlock([("X-A", "1")])
    head = prepared.usual_head("GET", block)
    request = wayfare.ClientRequest(
        "GET", prepared, block, None, wayfare.ClientTimeout(), RequestSettings(), None, head
    )
    assert request.headers["x-a"] == "1"
    assert request.head() is head
    request.headers["X-A"] = "2"
    assert request.head().fields.pairs == (("X-A", "2"),)
    request.headers["X-A"] = "1"
    assert request.head() is head
    request.method = "PUT"
    assert request.head().method == "PUT"


def test_changed_fields_are_checked_when_they_are_sent() -> None:
    """R4."""
    request = make_request()
    request.headers["X-Bad"] = "a\nb"
    with pytest.raises(ValueError, match="control character"):
        _ = request.fields


def test_request_info_does_not_change_any_more() -> None:
    request = make_request(("X-A", "1"))
    info = request.request_info
    request.headers["X-A"] = "2"
    assert info.headers["X-A"] == "1"
    assert (info.method, info.url, info.real_url) == ("GET", request.url, request.real_url)


def test_repr_names_method_and_url() -> None:
    assert repr(make_request(("Authorization", "secret"))) == "<ClientRequest GET http://h/x>"


def test_request_info_pickles_and_so_does_its_error() -> None:
    """An error of a request can be sent to another process."""
    info = make_request(("X-A", "1"), ("X-A", "2")).request_info
    error = wayfare.ClientResponseError(info, (), status=404, message="no", headers=info.headers)
    for twin in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert twin.request_info == info
        assert twin.request_info.headers.getall("x-a") == ["1", "2"]
        assert str(twin) == str(error)


def test_no_repr_shows_fields() -> None:
    """Y10: tracebacks and logs print reprs."""
    info = make_request(("Authorization", "Basic SECRET")).request_info
    error = wayfare.ClientResponseError(info, (), status=401)
    assert repr(info) == "<RequestInfo GET http://h/x>"
    for text in (repr(info), repr(error), repr(error.args)):
        assert "SECRET" not in text


# -- what middlewares see and change ----------------------------------------------------------------------------------


def test_where_a_request_goes() -> None:
    request = make_request()
    assert (request.host, request.port, request.is_ssl()) == ("h", 80, False)
    assert request.original_url == request.real_url == URL("http://h/x")
    assert request.version == wayfare.HttpVersion11
    assert request.connection_key == request.prepared.target
    request.url = URL("https://u:p@I:8443/y?z#f")
    assert (request.host, request.port, request.is_ssl()) == ("i", 8443, True)
    assert (str(request.url), str(request.real_url)) == (
        "https://i:8443/y?z",
        "https://i:8443/y?z#f",
    )
    assert request.head().path == "/y?z"


def test_tls_settings_can_be_changed() -> None:
    request = make_request()
    request.url = URL("https://h/")
    assert (request.ssl, request.server_hostname) == (True, None)
    request.ssl = False
    request.server_hostname = "other"
    assert (request.connection_key.ssl, request.connection_key.server_hostname) == (False, "other")
    request.url = URL("https://i/")
    assert (request.ssl, request.server_hostname) == (False, "other")
    with pytest.raises(TypeError, match="ssl must be"):
        request.ssl = "no"  # type: ignore[assignment]  # what is refused


async def test_other_content_is_framed_anew() -> None:
    request = make_request(("Content-Length", "3"), ("Transfer-Encoding", "chunked"))
    await request.update_body("text")
    assert request.body == b"text"
    assert dict(request.headers) == {"Content-Type": "text/plain; charset=utf-8"}
    await request.update_body(b"octets")
    assert request.headers["Content-Type"] == "text/plain; charset=utf-8"
    await request.update_body(None)
    assert request.body is None
    del request.headers["Content-Type"]
    await request.update_body(UntypedBody(Once()))
    assert "Content-Type" not in request.headers
    with pytest.raises(TypeError, match="not int"):
        await request.update_body(5)


@pytest.mark.parametrize("size", [3, 100_000])
async def test_a_coding_of_the_sessions_own_goes_with_its_content(size: int) -> None:
    request = make_request(("Content-Encoding", "gzip"))
    request.body = encoded_body(b"x" * size, "gzip")
    await request.update_body(b"plain")
    assert "Content-Encoding" not in request.headers
    request.headers["Content-Encoding"] = "gzip"
    await request.update_body(b"encoded by the middleware itself")
    assert request.headers["Content-Encoding"] == "gzip"


def test_a_copy_has_fields_of_its_own() -> None:
    request = make_request(("X-A", "1"))
    untouched = request.copy()
    request.headers["X-B"] = "2"
    touched = request.copy()
    touched.headers["X-C"] = "3"
    assert [name for name, _ in untouched.fields.pairs] == ["X-A"]
    assert [name for name, _ in request.fields.pairs] == ["X-A", "X-B"]


class Once:
    """A body that tells what it is asked."""

    content_type = "text/x"
    length = 2
    replayable = False

    def chunks(self) -> list[bytes]:
        return [b"ab"]


def test_what_wraps_a_body_passes_on_what_it_is() -> None:
    body = Once()
    untyped, encoded = UntypedBody(body), EncodedBody(body, "gzip")
    assert (untyped.content_type, untyped.length, untyped.replayable) == (None, 2, False)
    assert untyped.chunks() == [b"ab"]
    assert (encoded.content_type, encoded.length, encoded.replayable) == ("text/x", None, False)
    octets = EncodedBody(b"ab", "gzip")
    assert (octets.content_type, octets.replayable) == (None, True)
