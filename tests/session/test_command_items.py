"""The words of a command line: items, methods, URLs, and what they come to."""

from pathlib import Path

import pytest
from wayfare._command_line._items import Item, ItemKind, parse_item
from wayfare._command_line._plan import (
    ContentForm,
    method_and_url,
    plan_request,
    plan_websocket,
    read_url,
)


@pytest.mark.parametrize(
    ("word", "item"),
    [
        ("X-Team:red", (ItemKind.FIELD, "X-Team", "red")),
        ("Referer:http://h/", (ItemKind.FIELD, "Referer", "http://h/")),
        ("Accept:", (ItemKind.FIELD, "Accept", "")),
        ("X-Empty;", (ItemKind.EMPTY_FIELD, "X-Empty", "")),
        ("q==1", (ItemKind.PARAMETER, "q", "1")),
        ("q===1", (ItemKind.PARAMETER, "q", "=1")),
        ("tea=green", (ItemKind.STRING, "tea", "green")),
        ("tea=", (ItemKind.STRING, "tea", "")),
        ("url=http://h/?a==b", (ItemKind.STRING, "url", "http://h/?a==b")),
        ("a;b=c", (ItemKind.STRING, "a;b", "c")),
        ("n:=2", (ItemKind.JSON, "n", "2")),
        ("photo@me.jpg", (ItemKind.FILE, "photo", "me.jpg")),
        ("@all.json", (ItemKind.FILE, "", "all.json")),
        ("text=@a.txt", (ItemKind.STRING_FILE, "text", "a.txt")),
        ("n:=@n.json", (ItemKind.JSON_FILE, "n", "n.json")),
        (r"a\:b:c", (ItemKind.FIELD, "a:b", "c")),
        (r"a\=b=c", (ItemKind.STRING, "a=b", "c")),
        (r"back\\slash=c", (ItemKind.STRING, "back\\slash", "c")),
        ("чай=зелёный", (ItemKind.STRING, "чай", "зелёный")),
        ("\udcff=\udcfe", (ItemKind.STRING, "\udcff", "\udcfe")),
    ],
)
def test_a_word_is_cut_at_its_first_separator(word: str, item: tuple[ItemKind, str, str]) -> None:
    assert parse_item(word) == item


@pytest.mark.parametrize("word", ["", "tea", "a;b", r"a\=b", "tail\\"])
def test_a_word_without_a_separator_is_none(word: str) -> None:
    with pytest.raises(ValueError, match="is none of: a field"):
        parse_item(word)


def test_an_item_reads_its_file(tmp_path: Path) -> None:
    path = tmp_path / "tea.txt"
    path.write_text("grün", encoding="utf-8")
    assert parse_item(f"tea=@{path}").read_text() == "grün"
    assert Item(ItemKind.STRING, "tea", "black").read_text() == "black"


@pytest.mark.parametrize(
    ("words", "read"),
    [
        (["h/x"], (None, "h/x", [])),
        (["get", "h"], ("GET", "h", [])),
        (["PURGE", "h"], ("PURGE", "h", [])),
        (["localhost", "a=b"], (None, "localhost", ["a=b"])),
        (["delete", "h", "a==b"], ("DELETE", "h", ["a==b"])),
    ],
)
def test_the_method_may_be_left_out(
    words: list[str], read: tuple[str | None, str, list[str]]
) -> None:
    assert method_and_url(words) == read


def test_a_method_needs_a_url() -> None:
    with pytest.raises(ValueError, match="POST is a method; the URL is missing"):
        method_and_url(["POST"])


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("example.org/a?b=c", "https://example.org/a?b=c"),
        ("http://example.org", "http://example.org"),
        ("localhost:8000/x", "http://localhost:8000/x"),
        ("api.localhost", "http://api.localhost"),
        ("127.0.0.1:1", "http://127.0.0.1:1"),
        ("[::1]:1/", "http://[::1]:1/"),
        ("10.0.0.1", "https://10.0.0.1"),
        (":8000/x", "http://localhost:8000/x"),
        (":/x", "http://localhost/x"),
        (":", "http://localhost"),
        ("unix.example", "https://unix.example"),
    ],
)
def test_a_url_may_be_written_short(text: str, url: str) -> None:
    assert str(read_url(text)) == url


@pytest.mark.parametrize("text", ["h:port", "[::1"])
def test_what_is_no_url_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="is no URL"):
        read_url(text)


def test_items_become_parts_of_the_request(tmp_path: Path) -> None:
    path = tmp_path / "n.json"
    path.write_text("[1]")
    plan = plan_request(
        [
            "h",
            "X-A:1",
            "x-a: 2 ",
            "Accept:",
            "X-E;",
            "q==1",
            "q==2",
            "s=t",
            "n:=null",
            f"f:=@{path}",
        ]
    )
    assert (plan.method, str(plan.url)) == ("POST", "https://h")
    assert plan.fields == (("X-A", "1"), ("x-a", "2"), ("X-E", ""))
    assert plan.left_out == ("Accept",)
    assert plan.params == (("q", "1"), ("q", "2"))
    assert plan.value == {"s": "t", "n": None, "f": [1]}
    assert (plan.content, plan.content_path, plan.form) == (None, None, ())


def test_content_makes_it_a_post() -> None:
    assert plan_request(["h"]).method == "GET"
    assert plan_request(["h", "q==1"]).method == "GET"
    assert plan_request(["h", "a=b"]).method == "POST"
    assert plan_request(["put", "h", "a=b"]).method == "PUT"
    plan = plan_request(["h"], raw=b"raw")
    assert (plan.method, plan.content, plan.value) == ("POST", b"raw", None)


def test_a_file_makes_it_a_form() -> None:
    plan = plan_request(["h", "a=b", "f@x"])
    assert [item.name for item in plan.form] == ["a", "f"]
    assert (plan.value, plan.multipart) == (None, False)
    assert plan_request(["h", "a=b"], ContentForm.FORM).form[0].value == "b"
    assert plan_request(["h", "a=b"], ContentForm.MULTIPART).multipart


def test_a_file_can_be_the_whole_content() -> None:
    plan = plan_request(["h", "@x"])
    assert (plan.content_path, plan.form, plan.method) == (Path("x"), (), "POST")


@pytest.mark.parametrize("items", [["@x", "a=b"], ["@x", "@y"]])
def test_content_is_given_once(items: list[str]) -> None:
    with pytest.raises(ValueError, match="the content is given twice"):
        plan_request(["h", *items])
    with pytest.raises(ValueError, match="the content is given twice"):
        plan_request(["h", "a=b"], raw=b"raw")


def test_only_automatic_fields_can_be_taken_away() -> None:
    assert plan_request(["h", "user-agent:"]).left_out == ("user-agent",)
    with pytest.raises(ValueError, match="X-A: has no value; X-A; sends it empty"):
        plan_request(["h", "X-A: "])


def test_json_that_is_none_is_said() -> None:
    with pytest.raises(ValueError, match="n:= wants JSON: Expecting value"):
        plan_request(["h", "n:=x"])


def test_the_handshake_of_a_websocket_has_no_content() -> None:
    plan = plan_websocket(["localhost:1/chat", "X-A:1", "Accept:", "q==1"])
    assert str(plan.url) == "ws://localhost:1/chat"
    assert (plan.fields, plan.left_out, plan.params) == (
        (("X-A", "1"),),
        ("Accept",),
        (("q", "1"),),
    )
    assert str(plan_websocket(["h"]).url) == "wss://h"
    with pytest.raises(ValueError, match="a WebSocket opens without content"):
        plan_websocket(["h", "a=b"])


def test_fields_are_added_unless_they_are_there() -> None:
    plan = plan_request(["h", "x-a:1"])
    assert plan.with_fields([("X-A", "2"), ("X-B", "3")]).fields == (("X-B", "3"), ("x-a", "1"))
