"""The sending half: messages in, frames out (RFC 6455 section 6.1)."""

import os
from contextlib import suppress
from typing import final

from ._close_codes import is_close_code
from ._compiled import encode_frame
from ._deflate import Deflater
from ._frames import FIN, MAX_CONTROL_PAYLOAD, RSV1
from ._masking import KEY_SIZE
from ._messages import WSMsgType

__all__ = ("MessageWriter",)

_AT_ONCE = 64
"""Masking keys that are fetched at once: a call to the system takes longer than a small frame."""

_keys: list[bytes] = []
"""Masking keys that nobody used yet, for all writers: each would take 3 KiB for its own."""

with suppress(AttributeError):  # where nothing forks
    # Two processes must not use the same ones.
    os.register_at_fork(after_in_child=_keys.clear)


@final
class MessageWriter:
    """Makes the frames of one side. Each masked frame has a fresh key from the system's generator (W6)."""

    __slots__ = ("_active", "_deflater", "_fragmented", "_masked")

    def __init__(self, *, masked: bool, deflater: Deflater | None) -> None:
        self._masked = masked
        self._deflater = deflater
        self._fragmented = False
        self._active: Deflater | None = None  # what compresses the fragmented message

    def message(self, opcode: int, payload: bytes, compress: bool | None) -> bytes:
        """A message in one frame, compressed unless `compress` says no.

        Raises: RuntimeError while a fragmented message is being sent, ValueError where compression is asked for and
            was not agreed on.
        """
        if self._fragmented:
            raise RuntimeError("a fragmented message is being sent")
        first = FIN | opcode
        # Asked first, since that is all there is to do for nearly all messages.
        if compress or self._deflater is not None:
            deflater = self._for_message(compress)
            if deflater is not None:
                first |= RSV1
                payload = deflater.compress(payload, final=True)
        return encode_frame(first, payload, self._next_key())

    def fragment(self, opcode: int, payload: bytes, *, final: bool, compress: bool | None) -> bytes:
        """The next frame of a message; `opcode` and `compress` count for the first one."""
        if not self._fragmented:
            first = opcode
            self._active = self._for_message(compress)
            if self._active is not None:
                first |= RSV1
        else:
            first = 0
        if self._active is not None:
            payload = self._active.compress(payload, final=final)
        self._fragmented = not final
        return encode_frame(first | (FIN if final else 0), payload, self._next_key())

    def control(self, opcode: int, payload: bytes) -> bytes:
        """A control frame. Raises: ValueError for more than 125 octets."""
        if len(payload) > MAX_CONTROL_PAYLOAD:
            raise ValueError(f"a control frame has at most {MAX_CONTROL_PAYLOAD} octets")
        return encode_frame(FIN | opcode, payload, self._next_key())

    def close(self, code: int | None, reason: bytes) -> bytes:
        """A Close frame, without a code where it is None.

        Raises: ValueError for a code that must not stand on the wire, for a reason without a code or of more than 123
            octets.
        """
        if code is None:
            if reason:
                raise ValueError("a reason needs a code")
            return self.control(WSMsgType.CLOSE, b"")
        if not is_close_code(code):
            raise ValueError(f"{code} is no code for a Close frame")
        if len(reason) > MAX_CONTROL_PAYLOAD - 2:
            raise ValueError(f"a reason has at most {MAX_CONTROL_PAYLOAD - 2} octets")
        return self.control(WSMsgType.CLOSE, code.to_bytes(2, "big") + reason)

    def _for_message(self, compress: bool | None) -> Deflater | None:
        if compress and self._deflater is None:
            raise ValueError("compression was not agreed on")
        return None if compress is False else self._deflater

    def _next_key(self) -> bytes | None:
        if not self._masked:
            return None
        while True:
            # Without a look before, since another thread may take the last one behind it.
            try:
                return _keys.pop()
            except IndexError:
                pool = os.urandom(_AT_ONCE * KEY_SIZE)
                _keys.extend(pool[at : at + KEY_SIZE] for at in range(0, len(pool), KEY_SIZE))
