"""Bodies that are written here, sent by clients that are not ours: requests, httpx, urllib3, http.client."""

from __future__ import annotations

import http.client
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import requests
import urllib3
from wayfare_multipart import FormData, Payload, StringPayload

BIG = bytes(range(256)) * 5_000


@pytest.fixture
def form(tmp_path: Path) -> Iterator[FormData]:
    """A form with text, a file on disk and a file in memory."""
    path = tmp_path / "big.bin"
    path.write_bytes(BIG)
    with path.open("rb") as file:
        form = FormData({"text": "é", "file": file})
        form.add_field("memory", io.BytesIO(b"in memory"), filename="m.txt")
        yield form


def headers(payload: Payload) -> dict[str, str]:
    return {"Content-Type": payload.content_type}


def check(told: Any, payload: Payload, *, sized: bool = True) -> None:
    """What httpbin says of the form."""
    assert told["form"] == {"text": "é"}
    assert told["files"]["memory"] == "in memory"
    assert told["files"]["file"].startswith("data:application/octet-stream;base64,")
    if sized:
        assert told["headers"]["Content-Length"] == str(payload.size)
        assert "Transfer-Encoding" not in told["headers"]


def test_requests_sends_a_form(httpbin: str, form: FormData) -> None:
    payload = form()
    answer = requests.post(
        f"{httpbin}/post", data=payload.octets(), headers=headers(payload), timeout=30
    )
    check(answer.json(), payload)


def test_requests_sends_what_has_no_length_in_chunks(httpbin: str) -> None:
    form = FormData({"text": "é"})
    form.add_field("stream", iter([b"a", b"b"]), filename="s")
    payload = form()
    answer = requests.post(
        f"{httpbin}/post", data=payload.octets(), headers=headers(payload), timeout=30
    )
    assert answer.json()["files"] == {"stream": "ab"}
    assert answer.json()["headers"]["Transfer-Encoding"] == "chunked"


def test_httpx_sends_a_form(httpbin: str, form: FormData) -> None:
    payload = form()
    fields = {**headers(payload), "Content-Length": str(payload.size)}
    with httpx.Client(trust_env=False) as client:
        answer = client.post(f"{httpbin}/post", content=payload.octets(), headers=fields)
    check(answer.json(), payload)


async def test_httpx_sends_a_form_asynchronously(httpbin: str, form: FormData) -> None:
    payload = form()
    fields = {**headers(payload), "Content-Length": str(payload.size)}
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            f"{httpbin}/post", content=payload.async_octets(), headers=fields
        )
    check(answer.json(), payload)


def test_urllib3_sends_a_form(httpbin: str, form: FormData) -> None:
    payload = form()
    fields = {**headers(payload), "Content-Length": str(payload.size)}
    with urllib3.PoolManager() as pool:
        answer = pool.request("POST", f"{httpbin}/post", body=payload.octets(), headers=fields)
        check(answer.json(), payload)


def test_the_standard_library_sends_a_form(httpbin: str, form: FormData) -> None:
    payload = form()
    connection = http.client.HTTPConnection(urlsplit(httpbin).netloc, timeout=30)
    try:
        fields = {**headers(payload), "Content-Length": str(payload.size)}
        connection.request("POST", "/post", body=payload.iter_bytes(), headers=fields)
        assert connection.getresponse().status == 200
    finally:
        connection.close()


def test_a_payload_that_is_no_form(httpbin: str) -> None:
    payload = StringPayload("é")
    answer = requests.post(
        f"{httpbin}/post", data=payload.octets(), headers=headers(payload), timeout=30
    )
    assert answer.json()["data"] == "é"
