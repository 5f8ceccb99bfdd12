# The module that hatch_build.py compiles from native/.

from typing import Any

from wayfare_websocket import WSMessage, WSMsgType

def encode_frame(first: int, payload: bytes, key: bytes | None) -> bytes: ...
def mask_payload(data: bytes, key: bytes) -> bytes: ...
def read_whole(
    data: bytes,
    at: int,
    limit: int,
    message: type[WSMessage],
    text: WSMsgType | None,
    binary: WSMsgType,
    out: list[Any],
    /,
) -> int: ...
