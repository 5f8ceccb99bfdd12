"""`ClientRequest`: plain data until it is sent."""

import copy
import pickle

import pytest
import wayfare
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
