"""The version pair: its order, its text, its equality with plain tuples."""

import pickle

from wayfare_http_core._http_version import HttpVersion, HttpVersion10, HttpVersion11


def test_text_is_the_form_of_a_start_line() -> None:
    assert str(HttpVersion11) == f"{HttpVersion11}" == "HTTP/1.1"
    assert repr(HttpVersion10) == "HttpVersion(major=1, minor=0)"


def test_versions_are_pairs() -> None:
    major, minor = HttpVersion10
    assert (major, minor) == HttpVersion10 == HttpVersion(1, 0)
    assert HttpVersion10 < HttpVersion11 < HttpVersion(1, 10) < HttpVersion(2, 0)
    assert pickle.loads(pickle.dumps(HttpVersion11)) == HttpVersion11
