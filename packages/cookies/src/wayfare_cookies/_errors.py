"""What this package raises.

    CookieError (ValueError)
    ├── CookieFormatError        saved cookies that cannot be read
    └── StoreUnavailableError    (also OSError) a cookie store that does not answer, or answers
    nonsense

A bad Set-Cookie field is none of these: it is skipped, and `CookieJar.explain` says why.
"""

__all__ = ("CookieError", "CookieFormatError", "StoreUnavailableError", "StoreUnavailableWarning")


class CookieError(ValueError):
    """The root of this package's errors."""


class CookieFormatError(CookieError):
    """Saved cookies are not in a form that this package reads."""


class StoreUnavailableError(CookieError, OSError):
    """A cookie store could not be reached or failed. The jar kept all its cookies and changes."""


class StoreUnavailableWarning(RuntimeWarning):
    """`CookieJar.sync(on_error="warn")` could not reach its store."""
