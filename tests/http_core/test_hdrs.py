"""The names of fields and methods: spelled as they are called, equal as multidicts compare."""

import pytest
from multidict import CIMultiDict, istr
from wayfare_http_core import hdrs

FIELDS = {name: value for name, value in vars(hdrs).items() if isinstance(value, istr)}
METHODS = {name: value for name, value in vars(hdrs).items() if name.startswith("METH_")}

# What code written for aiohttp's module of this name expects to find in it.
KNOWN = """
ACCEPT ACCEPT_CHARSET ACCEPT_ENCODING ACCEPT_LANGUAGE ACCEPT_RANGES ACCESS_CONTROL_MAX_AGE
ACCESS_CONTROL_ALLOW_CREDENTIALS ACCESS_CONTROL_ALLOW_HEADERS ACCESS_CONTROL_ALLOW_METHODS
ACCESS_CONTROL_ALLOW_ORIGIN ACCESS_CONTROL_EXPOSE_HEADERS ACCESS_CONTROL_REQUEST_HEADERS
ACCESS_CONTROL_REQUEST_METHOD AGE ALLOW AUTHORIZATION CACHE_CONTROL CONNECTION CONTENT_DISPOSITION
CONTENT_ENCODING CONTENT_LANGUAGE CONTENT_LENGTH CONTENT_LOCATION CONTENT_MD5 CONTENT_RANGE
CONTENT_TRANSFER_ENCODING CONTENT_TYPE COOKIE DATE DESTINATION DIGEST ETAG EXPECT EXPIRES
FORWARDED FROM HOST IF_MATCH IF_MODIFIED_SINCE IF_NONE_MATCH IF_RANGE IF_UNMODIFIED_SINCE
KEEP_ALIVE LAST_EVENT_ID LAST_MODIFIED LINK LOCATION MAX_FORWARDS ORIGIN PRAGMA PROXY_AUTHENTICATE
PROXY_AUTHORIZATION RANGE REFERER RETRY_AFTER SEC_WEBSOCKET_ACCEPT SEC_WEBSOCKET_VERSION
SEC_WEBSOCKET_PROTOCOL SEC_WEBSOCKET_EXTENSIONS SEC_WEBSOCKET_KEY SEC_WEBSOCKET_KEY1 SERVER
SET_COOKIE TE TRAILER TRANSFER_ENCODING UPGRADE URI USER_AGENT VARY VIA WANT_DIGEST WARNING
WWW_AUTHENTICATE X_FORWARDED_FOR X_FORWARDED_HOST X_FORWARDED_PROTO
ACCEPT_CH CDN_LOOP CONTENT_ID CONTENT_SECURITY_POLICY_REPORT_ONLY CROSS_ORIGIN_EMBEDDER_POLICY
CROSS_ORIGIN_OPENER_POLICY NEL ORIGIN_AGENT_CLUSTER REPORTING_ENDPOINTS REPORT_TO SEC_CH_UA
SEC_CH_UA_MOBILE SEC_CH_UA_PLATFORM SEC_FETCH_USER SEC_GPC SEC_PURPOSE TIMING_ALLOW_ORIGIN
X_CORRELATION_ID X_FORWARDED_PORT X_POWERED_BY X_RATELIMIT_LIMIT X_RATELIMIT_REMAINING
X_RATELIMIT_RESET X_REAL_IP X_REQUESTED_WITH X_XSS_PROTECTION
"""


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_is_spelled_as_it_is_called(name: str) -> None:
    assert FIELDS[name].upper().replace("-", "_") == name


def test_known_names_are_there() -> None:
    assert set(KNOWN.split()) <= set(FIELDS)
    assert len(set(FIELDS.values())) == len(FIELDS)


def test_names_find_fields_of_any_case() -> None:
    fields = CIMultiDict({"content-TYPE": "text/plain", "www-authenticate": "Basic"})
    assert fields[hdrs.CONTENT_TYPE] == "text/plain"
    assert fields[hdrs.WWW_AUTHENTICATE] == "Basic"
    assert hdrs.ETAG == "ETag"


def test_methods() -> None:
    methods = {name: value for name, value in METHODS.items() if isinstance(value, str)}
    assert methods.pop("METH_ANY") == "*"
    assert all(name == f"METH_{value}" and type(value) is str for name, value in methods.items())
    assert set(methods.values()) == hdrs.METH_ALL
    assert {
        "CONNECT",
        "DELETE",
        "GET",
        "HEAD",
        "OPTIONS",
        "PATCH",
        "POST",
        "PUT",
        "QUERY",
        "TRACE",
    } == hdrs.METH_ALL
