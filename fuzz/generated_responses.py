"""Responses by a grammar, sound ones and mutated ones: the same for the same seed."""

import gzip
import random
import zlib
from dataclasses import dataclass
from typing import final

__all__ = ("GeneratedResponse", "ResponseGenerator")


@final
@dataclass(frozen=True, slots=True)
class GeneratedResponse:
    """The octets of a response, and the method of the request that it answers."""

    method: str
    data: bytes


_NAMES = (
    b"A",
    b"Content-Type",
    b"Set-Cookie",
    b"x-y",
    b"Date",
    b"ETag",
    b"Link",
    b"a.b!#$%&'*+^_`|~9",
)
_VALUES = (
    b"",
    b"v",
    b"a b",
    b"\xc3\xa9",
    b"\xff\x80",
    b"a:b, c;d",
    b'"q\\""',
    b"a\tb",
    b"=?utf-8?q?x?=",
)
_REASONS = (b" OK", b" ", b"", b" Not Found", b" \xe9\t!", b" No Content")
_STATUSES = (200, 200, 200, 206, 299, 301, 404, 500, 599, 204, 304, 999)
_METHODS = ("GET", "GET", "GET", "GET", "HEAD", "POST", "CONNECT")
_FRAMINGS = ("length", "length", "lengths", "chunked", "chunked", "both", "close", "identity")
_WORDS = (
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"\r\n\r\n",
        b"\n\n",
        b" ",
        b"\t",
        b":",
        b";",
        b",",
        b'"',
        b"\x00",
        b"\xff",
    ),
    *(
        b"HTTP/1.1 ",
        b"HTTP/1.0 200 OK\r\n",
        b"HTTP/2.0",
        b"HTTP/1.1 100 C\r\n\r\n",
        b"101",
        b"204",
        b"-1",
    ),
    *(b"Content-Length: ", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"chunked"),
    *(
        b"Content-Encoding: gzip\r\n",
        b"Connection: close\r\n",
        b"0\r\n\r\n",
        b"0\r\n",
        b"0x",
        b"9" * 20,
    ),
    *(b"\x1f\x8b\x08\x00", b"5\r\nhello\r\n", b";a=b", b"\xc2\xa0", b"\x0b", b"\x85", b"f" * 16),
)


@final
class ResponseGenerator:
    """Makes one response after the other."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def sound(self) -> GeneratedResponse:
        """A response that a client must take."""
        rnd = self._random
        method = rnd.choice(_METHODS)
        end = b"\r\n" if rnd.random() < 0.8 else b"\n"
        before = b"".join([self._informational(end) for _ in range(rnd.choice((0, 0, 0, 1, 3)))])
        status = rnd.choice(_STATUSES)
        content, fields = self._content()
        framing, content = self._framed(content)
        plain = not any(field.startswith(b"Transfer-Encoding") for field in framing)
        version = b"HTTP/1.0" if plain and rnd.random() < 0.1 else b"HTTP/1.1"
        fields += framing + self._fields()
        if rnd.random() < 0.3:
            fields.append(b"Connection: " + rnd.choice((b"close", b"keep-alive", b"Keep-Alive, x")))
        rnd.shuffle(fields)
        if fields and rnd.random() < 0.1:
            # A fold may stand anywhere but before the first field, and never where it would break the framing.
            fields.append(b"Folded: a" + end + b" b" + end + b"\t")
        line = version + b" %d" % status + rnd.choice(_REASONS)
        head = end.join([line, *fields, b"", b""])
        bare = method == "HEAD" or status in (204, 304) or (method == "CONNECT" and status < 300)
        return GeneratedResponse(method, before + head + (b"" if bare else content))

    def mutated(self) -> GeneratedResponse:
        """A response with a few changes: it may be sound still, and most often is not."""
        made = self.sound()
        data = bytearray(made.data)
        for _ in range(self._random.choice((1, 1, 2, 3, 8))):
            self._mutate(data)
        return GeneratedResponse(made.method, bytes(data))

    def cuts(self, data: bytes) -> list[bytes]:
        """The data in pieces."""
        rnd = self._random
        places = sorted(rnd.randrange(len(data) + 1) for _ in range(rnd.choice((0, 1, 2, 6))))
        return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]

    def _informational(self, end: bytes) -> bytes:
        line = b"HTTP/1.1 " + self._random.choice((b"100 Continue", b"103 Early Hints", b"102 "))
        return end.join([line, *self._fields(), b"", b""])

    def _fields(self) -> list[bytes]:
        rnd = self._random
        spaces = (b"", b" ", b" ", b"\t ")
        return [
            rnd.choice(_NAMES)
            + b":"
            + rnd.choice(spaces)
            + rnd.choice(_VALUES)
            + rnd.choice(spaces)
            for _ in range(rnd.randrange(5))
        ]

    def _content(self) -> tuple[bytes, list[bytes]]:
        """Content in its coding, and the field that says so."""
        rnd = self._random
        content = rnd.choice(
            (b"", b"hello", b"0\r\n\r\n", rnd.randbytes(rnd.randrange(200)), b"ab" * 500)
        )
        match rnd.randrange(6):
            case 0:
                return gzip.compress(content, mtime=0), [b"Content-Encoding: gzip"]
            case 1:
                return zlib.compress(content), [b"content-encoding:deflate"]
            case 2:
                twice = gzip.compress(zlib.compress(content), mtime=0)
                return twice, [b"Content-Encoding: deflate, gzip"]
            case _:
                return content, []

    def _framed(self, content: bytes) -> tuple[list[bytes], bytes]:
        size = b"%d" % len(content)
        match self._random.choice(_FRAMINGS):
            case "length":
                return [b"Content-Length: " + size], content
            case "lengths":
                return [
                    b"Content-Length: " + size + b"," + size,
                    b"content-length:" + size,
                ], content
            case "chunked":
                return [b"Transfer-Encoding: chunked"], self._chunks(content)
            case "both":
                fields = [b"Transfer-Encoding: Chunked,", b"Content-Length: " + size]
                return fields, self._chunks(content)
            case "identity":
                return [b"Transfer-Encoding: identity"], content
            case _:
                return [], content

    def _chunks(self, content: bytes) -> bytes:
        rnd = self._random
        extensions = (b"", b"", b";a", b";a=b", b' ; a="b;c"'.lstrip(), b";\ta = b")
        sizes = (b"%x", b"%X", b"0%x")
        chunks = [
            rnd.choice(sizes) % len(piece) + rnd.choice(extensions) + b"\r\n" + piece + b"\r\n"
            for piece in self.cuts(content)
            if piece
        ]
        trailers = [b"", b"", b"X-Sum: 1\r\n", b"Content-Length: 9\r\nA:\r\n"]
        return (
            b"".join(chunks)
            + b"0"
            + rnd.choice(extensions)
            + b"\r\n"
            + rnd.choice(trailers)
            + b"\r\n"
        )

    def _mutate(self, data: bytearray) -> None:
        rnd = self._random
        # Rather late than early: a change of the first line hides all that follows.
        at = int(rnd.random() ** 0.5 * (len(data) + 1))
        end = min(len(data), at + rnd.choice((1, 1, 2, 8, 64)))
        match rnd.randrange(8):
            case 0 if at < len(data):
                data[at] ^= 1 << rnd.randrange(8)
            case 1:
                del data[at:end]
            case 2:
                data[at:at] = data[at:end] * rnd.choice((1, 2, 50))
            case 3:
                del data[at:]
            case 4:
                data[at:end] = rnd.randbytes(end - at)
            case 5:
                data[at:at] = self.sound().data[: rnd.randrange(300)]
            case _:
                data[at : end if rnd.random() < 0.5 else at] = rnd.choice(_WORDS)
