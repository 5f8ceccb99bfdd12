"""Names for the types of arguments, for the annotations of applications."""

import json
import os
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from wayfare_cookies import LooseCookies
from yarl import URL

from ._bodies import JSONEncoder
from ._defaults import HeadersArgument
from ._urls import Params

__all__ = (
    "DEFAULT_JSON_DECODER",
    "DEFAULT_JSON_ENCODER",
    "Byteish",
    "JSONBytesEncoder",
    "JSONDecoder",
    "JSONEncoder",
    "LooseCookies",
    "LooseHeaders",
    "PathLike",
    "Query",
    "RawHeaders",
    "StrOrURL",
)

Byteish: TypeAlias = bytes | bytearray | memoryview
"""Octets in memory."""
JSONDecoder: TypeAlias = Callable[[str], Any]
"""Makes a value of JSON, as `json.loads` does."""
JSONBytesEncoder: TypeAlias = Callable[[Any], bytes]
"""Makes JSON of a value, as octets."""
LooseHeaders: TypeAlias = HeadersArgument
"""What may be given as `headers`: a mapping, or pairs."""
PathLike: TypeAlias = str | os.PathLike[str]
"""The path of a file."""
Query: TypeAlias = Params
"""What may be given as `params`."""
RawHeaders: TypeAlias = tuple[tuple[bytes, bytes], ...]
"""Fields as they came: names and values as octets."""
StrOrURL: TypeAlias = str | URL
"""What may be given as a URL."""

DEFAULT_JSON_DECODER: Final[JSONDecoder] = json.loads
"""What parses JSON unless another function is given."""
DEFAULT_JSON_ENCODER: Final[JSONEncoder] = json.dumps
"""What writes JSON unless another function is given."""
