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
JSONDecoder: TypeAlias = Callable[[str], Any]
JSONBytesEncoder: TypeAlias = Callable[[Any], bytes]
LooseHeaders: TypeAlias = HeadersArgument
PathLike: TypeAlias = str | os.PathLike[str]
Query: TypeAlias = Params
RawHeaders: TypeAlias = tuple[tuple[bytes, bytes], ...]
StrOrURL: TypeAlias = str | URL

DEFAULT_JSON_DECODER: Final[JSONDecoder] = json.loads
DEFAULT_JSON_ENCODER: Final[JSONEncoder] = json.dumps
