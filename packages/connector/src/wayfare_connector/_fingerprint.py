"""`Fingerprint`: trust in one certificate, whoever signed it."""

import sys
from typing import final

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("Fingerprint",)

_ALGORITHMS = {16: "md5", 20: "sha1", 32: "sha256"}
_HEX_DIGITS = "0123456789abcdefABCDEF"


@final
class Fingerprint:
    """The SHA-256 of a server's certificate (its leaf, DER), for `ssl=`: no other one is accepted.

    32 raw bytes, or 64 hex digits as str or bytes. The connection is encrypted and the certificate
    must have this digest; who signed it, what name it has and whether it has expired play no part.
    To get one: `openssl x509 -in cert.pem -outform DER | openssl dgst -sha256`.

    Raises: `ValueError` for anything that is no SHA-256, `TypeError` for another kind of value.
    """

    __slots__ = ("_digest", "given")

    given: bytes | str
    """The fingerprint as it was given."""

    def __init__(self, fingerprint: bytes | str) -> None:
        digest = _digest(fingerprint)
        if len(digest) != 32:
            raise ValueError(
                f"a fingerprint is 32 bytes or 64 hex digits, a SHA-256; these are {len(digest)} bytes"
            )
        self._set(fingerprint, digest)

    @classmethod
    def of_any_length(cls, fingerprint: bytes | str) -> "Fingerprint":
        """What the `fingerprint=` argument of old takes: also the 16 bytes of an MD5 and the 20 of a
        SHA-1, neither of which protects from somebody who means it.

        Raises: `ValueError` for another length.
        """
        digest = _digest(fingerprint)
        if len(digest) not in _ALGORITHMS:
            raise ValueError(f"a fingerprint has 16, 20 or 32 bytes, not {len(digest)}")
        self = object.__new__(cls)
        self._set(fingerprint, digest)
        return self

    def matches(self, certificate: bytes) -> bool:
        """Whether this certificate, DER, is the one."""
        return self._hash(certificate) == self._digest

    def same_form(self, certificate: bytes) -> bytes | str:
        """The fingerprint of this certificate, DER, written as the given one is."""
        digest = self._hash(certificate)
        if isinstance(self.given, str):
            return digest.hex()
        return digest if len(self.given) == len(digest) else digest.hex().encode("ascii")

    def _set(self, given: bytes | str, digest: bytes) -> None:
        self.given = given
        self._digest = digest

    def _hash(self, certificate: bytes) -> bytes:
        # Of use to few.
        import hashlib

        return hashlib.new(
            _ALGORITHMS[len(self._digest)], certificate, usedforsecurity=False
        ).digest()

    @override
    def __eq__(self, other: object) -> bool:
        return self._digest == other._digest if isinstance(other, Fingerprint) else NotImplemented

    @override
    def __hash__(self) -> int:
        return hash(self._digest)

    @override
    def __repr__(self) -> str:
        return f"Fingerprint('{self._digest.hex()}')"

    @override
    def __reduce__(self) -> "tuple[object, tuple[bytes | str]]":
        return Fingerprint.of_any_length, (self.given,)


def _digest(fingerprint: bytes | str) -> bytes:
    """The raw bytes of a digest that may be written in hex digits."""
    if isinstance(fingerprint, str):
        text = fingerprint
    elif not isinstance(fingerprint, bytes):
        raise TypeError(f"a fingerprint is bytes or str, not {type(fingerprint).__name__}")
    elif len(fingerprint) in _ALGORITHMS:
        return fingerprint
    else:
        text = fingerprint.decode("latin-1")
    if not text or len(text) % 2 or text.strip(_HEX_DIGITS):
        raise ValueError("a fingerprint is 32 bytes or 64 hex digits")
    return bytes.fromhex(text)
