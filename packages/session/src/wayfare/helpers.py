"""Values that applications look for under this name. All but `sentinel` have a home that says more."""

from wayfare_http_core import (
    BasicAuth,
    ETag,
    content_disposition_header,
    encode_basic_auth,
    parse_http_date,
)

from ._chain_map import ChainMapProxy
from ._timeout import UNSET as sentinel

__all__ = (
    "BasicAuth",
    "ChainMapProxy",
    "ETag",
    "content_disposition_header",
    "encode_basic_auth",
    "parse_http_date",
    "sentinel",
)
