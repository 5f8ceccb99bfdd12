"""Multipart bodies made of parts, and readers over them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from wayfare_multipart import (
    BodyPartReader,
    MultipartReader,
)

MIXED = {"Content-Type": "multipart/mixed; boundary=B"}
FORM = {"Content-Type": 'multipart/form-data; boundary="B"'}


def part(data: bytes, *fields: str) -> bytes:
    return (
        b"--B\r\n" + "".join(f"{field}\r\n" for field in fields).encode() + b"\r\n" + data + b"\r\n"
    )


def body(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--B--\r\n"


async def pieces(octets: bytes, size: int = 7) -> AsyncIterator[bytes]:
    for at in range(0, len(octets), size):
        yield b""
        await asyncio.sleep(0)
        yield octets[at : at + size]


def reader(*parts: bytes, headers: dict[str, str] = MIXED, **options: Any) -> MultipartReader:
    return MultipartReader(headers, pieces(body(*parts)), **options)


async def only(data: bytes, *fields: str, **options: Any) -> BodyPartReader:
    """The one part of a body."""
    found = await reader(part(data, *fields), **options).next()
    assert isinstance(found, BodyPartReader)
    return found
