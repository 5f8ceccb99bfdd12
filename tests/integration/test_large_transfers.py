"""A gibibyte up to nginx and down again, in next to no memory; and a form to httpbin."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from wayfare import ClientSession, FormData, UploadTracker

GIBIBYTE = 1024 * 1024 * 1024
MEBIBYTE = 1024 * 1024
PROGRAM = Path(__file__).with_name("large_transfer.py")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A sparse file of a gibibyte, with something in it here and there."""
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        for position in range(0, GIBIBYTE, 100_000_007):
            file.seek(position)
            file.write(position.to_bytes(8, "big"))
        file.truncate(GIBIBYTE)
    return path


@pytest.mark.needs("nginx")
@pytest.mark.parametrize(
    ("kind", "traced", "resident"),
    [("file", 2, 8), ("form", 2, 8), ("saved", 6, 8), ("parts", 20, 24)],
)
def test_a_gibibyte_goes_through_little_memory(
    large: Path, kind: str, traced: int, resident: int
) -> None:
    """In mebibytes, of Python's objects and of the process: an upload and a download, to nowhere or into a file."""
    url = f"{os.environ['WAYFARE_NGINX_URL']}/upload/{os.urandom(8).hex()}"
    done = subprocess.run(
        [sys.executable, str(PROGRAM), url, str(large), kind],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for direction, told in json.loads(done.stdout).items():
        assert GIBIBYTE <= told["octets"] < GIBIBYTE + 1000, direction
        assert told["traced"] < traced * MEBIBYTE, direction
        assert told["resident"] < resident * MEBIBYTE, direction


async def test_a_form_reaches_httpbin(client: ClientSession, tmp_path: Path) -> None:
    path = tmp_path / "ö.txt"
    path.write_text("from the disk", encoding="utf-8")
    told: list[tuple[int, int | None]] = []
    tracker = UploadTracker()
    with path.open("rb") as file:
        form = FormData({"text": "é", "file": file})
        form.add_field("memory", io.BytesIO(b"in memory"), filename='"m".txt')
        async with client.post(
            "/post",
            data=form,
            upload_tracker=tracker,
            on_progress=lambda *pair: told.append(pair),
        ) as response:
            answer = await response.json()
    assert answer["form"] == {"text": "é"}
    assert answer["files"] == {"file": "from the disk", "memory": "in memory"}
    length = int(answer["headers"]["Content-Length"])
    assert told[-1] == (length, length)
    assert (tracker.attempts, tracker.bytes_written) == (1, length)
