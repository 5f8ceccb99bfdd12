"""Names of header fields and request methods: those of `wayfare_http_core.hdrs`."""

from wayfare_http_core.hdrs import *  # noqa: F403 - a hundred names, and all of them are meant
