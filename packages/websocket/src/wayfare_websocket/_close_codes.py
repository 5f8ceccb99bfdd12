"""Why a WebSocket ends: the codes of a Close frame, and which of them may stand on the wire (RFC 6455 section 7.4)."""

from enum import IntEnum
from typing import Final

__all__ = ("NO_STATUS", "WSCloseCode", "is_close_code")


class WSCloseCode(IntEnum):
    """The registered codes; applications choose theirs from 3000 to 4999."""

    OK = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    ABNORMAL_CLOSURE = 1006
    INVALID_TEXT = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    MANDATORY_EXTENSION = 1010
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_GATEWAY = 1014


NO_STATUS: Final = 1005
"""What a Close frame without a code means. It never stands on the wire, nor does 1006, an end without a Close frame."""


def is_close_code(code: int) -> bool:
    """Whether a Close frame may carry the code (W14).

    1004 to 1006 and 1015 are for what no frame says, 1016 to 2999 are not assigned.
    """
    return 3000 <= code <= 4999 or 1000 <= code <= 1003 or 1007 <= code <= 1014
