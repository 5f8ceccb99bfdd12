"""Names of header fields and request methods, so that a misspelt one is an error, not a silence.

A field name is a `multidict.istr`: a `str` in its registered spelling that a multidict finds
without folding its case first. The list has the permanent names of the IANA registry that a client
meets, and what is in wide use.
"""

from typing import Final

from multidict import istr

# Methods (RFC 9110 section 9; PATCH: RFC 5789; QUERY is safe and has content).
METH_CONNECT: Final = "CONNECT"
METH_DELETE: Final = "DELETE"
METH_GET: Final = "GET"
METH_HEAD: Final = "HEAD"
METH_OPTIONS: Final = "OPTIONS"
METH_PATCH: Final = "PATCH"
METH_POST: Final = "POST"
METH_PUT: Final = "PUT"
METH_QUERY: Final = "QUERY"
METH_TRACE: Final = "TRACE"

METH_ANY: Final = "*"
"""Stands for every method where one is asked for; never sent."""

METH_ALL: Final = frozenset(
    {
        METH_CONNECT,
        METH_DELETE,
        METH_GET,
        METH_HEAD,
        METH_OPTIONS,
        METH_PATCH,
        METH_POST,
        METH_PUT,
        METH_QUERY,
        METH_TRACE,
    }
)
"""Every method that has a constant here."""

# Content and what describes it (RFC 9110 section 8).
CONTENT_DISPOSITION: Final = istr("Content-Disposition")
CONTENT_ENCODING: Final = istr("Content-Encoding")
CONTENT_ID: Final = istr("Content-ID")
CONTENT_LANGUAGE: Final = istr("Content-Language")
CONTENT_LENGTH: Final = istr("Content-Length")
CONTENT_LOCATION: Final = istr("Content-Location")
CONTENT_TYPE: Final = istr("Content-Type")
ETAG: Final = istr("ETag")
LAST_MODIFIED: Final = istr("Last-Modified")

# Preferences of the client (RFC 9110 section 12).
ACCEPT: Final = istr("Accept")
ACCEPT_CHARSET: Final = istr("Accept-Charset")
ACCEPT_ENCODING: Final = istr("Accept-Encoding")
ACCEPT_LANGUAGE: Final = istr("Accept-Language")
ACCEPT_PATCH: Final = istr("Accept-Patch")
ACCEPT_POST: Final = istr("Accept-Post")
ACCEPT_QUERY: Final = istr("Accept-Query")
VARY: Final = istr("Vary")

# The request and its sender (RFC 9110 section 10.1).
EXPECT: Final = istr("Expect")
FROM: Final = istr("From")
HOST: Final = istr("Host")
MAX_FORWARDS: Final = istr("Max-Forwards")
ORIGIN: Final = istr("Origin")
PREFER: Final = istr("Prefer")
PRIORITY: Final = istr("Priority")
REFERER: Final = istr("Referer")
TE: Final = istr("TE")
UPGRADE_INSECURE_REQUESTS: Final = istr("Upgrade-Insecure-Requests")
USER_AGENT: Final = istr("User-Agent")

# Credentials and challenges (RFC 9110 section 11, RFC 7615).
AUTHENTICATION_INFO: Final = istr("Authentication-Info")
AUTHORIZATION: Final = istr("Authorization")
PROXY_AUTHENTICATE: Final = istr("Proxy-Authenticate")
PROXY_AUTHENTICATION_INFO: Final = istr("Proxy-Authentication-Info")
PROXY_AUTHORIZATION: Final = istr("Proxy-Authorization")
WWW_AUTHENTICATE: Final = istr("WWW-Authenticate")

# Cookies (RFC 6265).
COOKIE: Final = istr("Cookie")
SET_COOKIE: Final = istr("Set-Cookie")

# Conditions and ranges (RFC 9110 sections 13 and 14).
ACCEPT_RANGES: Final = istr("Accept-Ranges")
CONTENT_RANGE: Final = istr("Content-Range")
IF_MATCH: Final = istr("If-Match")
IF_MODIFIED_SINCE: Final = istr("If-Modified-Since")
IF_NONE_MATCH: Final = istr("If-None-Match")
IF_RANGE: Final = istr("If-Range")
IF_UNMODIFIED_SINCE: Final = istr("If-Unmodified-Since")
RANGE: Final = istr("Range")

# The response and where to go next (RFC 9110 section 10.2).
ALLOW: Final = istr("Allow")
ALT_SVC: Final = istr("Alt-Svc")
CLEAR_SITE_DATA: Final = istr("Clear-Site-Data")
DATE: Final = istr("Date")
DEPRECATION: Final = istr("Deprecation")
LINK: Final = istr("Link")
LOCATION: Final = istr("Location")
PREFERENCE_APPLIED: Final = istr("Preference-Applied")
REFRESH: Final = istr("Refresh")
RETRY_AFTER: Final = istr("Retry-After")
SERVER: Final = istr("Server")
SERVER_TIMING: Final = istr("Server-Timing")
SUNSET: Final = istr("Sunset")

# Caches (RFC 9111).
AGE: Final = istr("Age")
CACHE_CONTROL: Final = istr("Cache-Control")
CACHE_STATUS: Final = istr("Cache-Status")
CDN_CACHE_CONTROL: Final = istr("CDN-Cache-Control")
EXPIRES: Final = istr("Expires")
PRAGMA: Final = istr("Pragma")
WARNING: Final = istr("Warning")

# The connection and the way of a message (RFC 9112, RFC 9110 section 7).
ALT_USED: Final = istr("Alt-Used")
CDN_LOOP: Final = istr("CDN-Loop")
CONNECTION: Final = istr("Connection")
EARLY_DATA: Final = istr("Early-Data")
FORWARDED: Final = istr("Forwarded")
KEEP_ALIVE: Final = istr("Keep-Alive")
PROXY_CONNECTION: Final = istr("Proxy-Connection")
PROXY_STATUS: Final = istr("Proxy-Status")
TRAILER: Final = istr("Trailer")
TRANSFER_ENCODING: Final = istr("Transfer-Encoding")
UPGRADE: Final = istr("Upgrade")
VIA: Final = istr("Via")
X_FORWARDED_FOR: Final = istr("X-Forwarded-For")
X_FORWARDED_HOST: Final = istr("X-Forwarded-Host")
X_FORWARDED_PORT: Final = istr("X-Forwarded-Port")
X_FORWARDED_PROTO: Final = istr("X-Forwarded-Proto")
X_REAL_IP: Final = istr("X-Real-IP")

# WebSocket (RFC 6455).
SEC_WEBSOCKET_ACCEPT: Final = istr("Sec-WebSocket-Accept")
SEC_WEBSOCKET_EXTENSIONS: Final = istr("Sec-WebSocket-Extensions")
SEC_WEBSOCKET_KEY: Final = istr("Sec-WebSocket-Key")
SEC_WEBSOCKET_PROTOCOL: Final = istr("Sec-WebSocket-Protocol")
SEC_WEBSOCKET_VERSION: Final = istr("Sec-WebSocket-Version")

# Sharing across origins, and other policies of browsers.
ACCEPT_CH: Final = istr("Accept-CH")
ACCESS_CONTROL_ALLOW_CREDENTIALS: Final = istr("Access-Control-Allow-Credentials")
ACCESS_CONTROL_ALLOW_HEADERS: Final = istr("Access-Control-Allow-Headers")
ACCESS_CONTROL_ALLOW_METHODS: Final = istr("Access-Control-Allow-Methods")
ACCESS_CONTROL_ALLOW_ORIGIN: Final = istr("Access-Control-Allow-Origin")
ACCESS_CONTROL_EXPOSE_HEADERS: Final = istr("Access-Control-Expose-Headers")
ACCESS_CONTROL_MAX_AGE: Final = istr("Access-Control-Max-Age")
ACCESS_CONTROL_REQUEST_HEADERS: Final = istr("Access-Control-Request-Headers")
ACCESS_CONTROL_REQUEST_METHOD: Final = istr("Access-Control-Request-Method")
CONTENT_SECURITY_POLICY: Final = istr("Content-Security-Policy")
CONTENT_SECURITY_POLICY_REPORT_ONLY: Final = istr("Content-Security-Policy-Report-Only")
CROSS_ORIGIN_EMBEDDER_POLICY: Final = istr("Cross-Origin-Embedder-Policy")
CROSS_ORIGIN_OPENER_POLICY: Final = istr("Cross-Origin-Opener-Policy")
CROSS_ORIGIN_RESOURCE_POLICY: Final = istr("Cross-Origin-Resource-Policy")
LAST_EVENT_ID: Final = istr("Last-Event-ID")
NEL: Final = istr("NEL")
ORIGIN_AGENT_CLUSTER: Final = istr("Origin-Agent-Cluster")
PERMISSIONS_POLICY: Final = istr("Permissions-Policy")
REFERRER_POLICY: Final = istr("Referrer-Policy")
REPORTING_ENDPOINTS: Final = istr("Reporting-Endpoints")
REPORT_TO: Final = istr("Report-To")
SEC_CH_UA: Final = istr("Sec-CH-UA")
SEC_CH_UA_MOBILE: Final = istr("Sec-CH-UA-Mobile")
SEC_CH_UA_PLATFORM: Final = istr("Sec-CH-UA-Platform")
SEC_FETCH_DEST: Final = istr("Sec-Fetch-Dest")
SEC_FETCH_MODE: Final = istr("Sec-Fetch-Mode")
SEC_FETCH_SITE: Final = istr("Sec-Fetch-Site")
SEC_FETCH_USER: Final = istr("Sec-Fetch-User")
SEC_GPC: Final = istr("Sec-GPC")
SEC_PURPOSE: Final = istr("Sec-Purpose")
STRICT_TRANSPORT_SECURITY: Final = istr("Strict-Transport-Security")
TIMING_ALLOW_ORIGIN: Final = istr("Timing-Allow-Origin")
X_CONTENT_TYPE_OPTIONS: Final = istr("X-Content-Type-Options")
X_FRAME_OPTIONS: Final = istr("X-Frame-Options")
X_REQUESTED_WITH: Final = istr("X-Requested-With")
X_XSS_PROTECTION: Final = istr("X-XSS-Protection")

# Digests and signatures of content (RFC 9530, RFC 9421).
CONTENT_DIGEST: Final = istr("Content-Digest")
REPR_DIGEST: Final = istr("Repr-Digest")
SIGNATURE: Final = istr("Signature")
SIGNATURE_INPUT: Final = istr("Signature-Input")
WANT_CONTENT_DIGEST: Final = istr("Want-Content-Digest")
WANT_REPR_DIGEST: Final = istr("Want-Repr-Digest")

# WebDAV and friends (RFC 4918, RFC 3253).
DAV: Final = istr("DAV")
DEPTH: Final = istr("Depth")
DESTINATION: Final = istr("Destination")
IF: Final = istr("If")
LOCK_TOKEN: Final = istr("Lock-Token")
OVERWRITE: Final = istr("Overwrite")
TIMEOUT: Final = istr("Timeout")

# Idempotence, tracing, rate limits: in wide use, some still drafts.
BAGGAGE: Final = istr("Baggage")
IDEMPOTENCY_KEY: Final = istr("Idempotency-Key")
RATELIMIT: Final = istr("RateLimit")
RATELIMIT_POLICY: Final = istr("RateLimit-Policy")
TRACEPARENT: Final = istr("Traceparent")
TRACESTATE: Final = istr("Tracestate")
X_CORRELATION_ID: Final = istr("X-Correlation-ID")
X_POWERED_BY: Final = istr("X-Powered-By")
X_RATELIMIT_LIMIT: Final = istr("X-RateLimit-Limit")
X_RATELIMIT_REMAINING: Final = istr("X-RateLimit-Remaining")
X_RATELIMIT_RESET: Final = istr("X-RateLimit-Reset")
X_REQUEST_ID: Final = istr("X-Request-ID")

# Obsolete names that old peers still send.
CONTENT_MD5: Final = istr("Content-MD5")
CONTENT_TRANSFER_ENCODING: Final = istr("Content-Transfer-Encoding")
DIGEST: Final = istr("Digest")
SEC_WEBSOCKET_KEY1: Final = istr("Sec-WebSocket-Key1")
URI: Final = istr("URI")
WANT_DIGEST: Final = istr("Want-Digest")
