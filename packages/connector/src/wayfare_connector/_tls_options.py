"""The arguments for TLS, new and old, as one setting."""

import warnings
from ssl import SSLContext
from typing import TYPE_CHECKING, Final

from ._fingerprint import Fingerprint

if TYPE_CHECKING:
    from ._target import TLSSetting

__all__ = ("read_tls_options",)

_INSTEAD: Final = {
    "verify_ssl": "write ssl=False instead",
    "verifying": "certificates are verified anyway",
    "ssl_context": "write ssl=… with the context instead",
    "fingerprint": "write ssl=Fingerprint(…) instead",
}
"""What to write in place of each spelling of old."""


def read_tls_options(
    ssl: "TLSSetting | None" = None,
    *,
    verify_ssl: bool | None = None,
    ssl_context: SSLContext | None = None,
    fingerprint: bytes | str | None = None,
    stacklevel: int = 2,
) -> "TLSSetting | None":
    """The setting that the arguments of a connector or a request name; None when they name none.

    `verify_ssl`, `ssl_context` and `fingerprint` are spellings of old, each with a
    `DeprecationWarning` at `stacklevel`, as for `warnings.warn` called in place of this function.
    `verify_ssl=True` names nothing, as it always did.

    Raises: `ValueError` for more than one of them, and for a bad fingerprint; `TypeError` for a
    value of another kind.
    """
    old = {"verify_ssl": verify_ssl, "ssl_context": ssl_context, "fingerprint": fingerprint}
    given = [name for name, value in old.items() if value is not None]
    for name in given:
        instead = _INSTEAD["verifying" if verify_ssl and name == "verify_ssl" else name]
        warnings.warn(f"{name}= is old: {instead}", DeprecationWarning, stacklevel + 1)
    # True says what is so anyway: it was always free to stand beside the others.
    named = given if ssl is None or ssl is True else ["ssl", *given]
    if verify_ssl is True:
        named.remove("verify_ssl")
    if len(named) > 1:
        raise ValueError(f"{' and '.join(named)} exclude each other: each says how to verify")
    if ssl_context is not None:
        if not isinstance(ssl_context, SSLContext):
            raise TypeError(f"ssl_context must be an SSLContext, not {type(ssl_context).__name__}")
        return ssl_context
    if fingerprint is not None:
        return Fingerprint.of_any_length(fingerprint)
    if verify_ssl is False:
        return False
    if ssl is not None and not isinstance(ssl, bool | SSLContext | Fingerprint):
        raise TypeError(
            f"ssl must be a bool, an SSLContext or a Fingerprint, not {type(ssl).__name__}"
        )
    return ssl
