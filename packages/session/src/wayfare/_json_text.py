"""JSON text as values of Python."""

import json
from typing import Any

__all__ = ("read_json",)


def read_json(text: str) -> Any:
    """What the text says, by `json.loads`.

    Raises: `json.JSONDecodeError`, a ValueError; also for what is nested so deeply that Python's own reader gives up:
    its RecursionError would tell of a fault in the program, and it is the server's.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise json.JSONDecodeError("nested too deeply", text, 0) from None
