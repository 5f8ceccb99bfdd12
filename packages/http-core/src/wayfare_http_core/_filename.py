"""File names that a peer chose, made safe to use as one name in a directory of ours."""

import re

__all__ = ("safe_filename",)

_MAX_OCTETS = 255
"""What a name may have on the file systems in use: octets of UTF-8 on Linux, UTF-16 units elsewhere."""

_MAX_EXTENSION = 32

# C0, DEL and C1 controls; marks that turn the direction of writing, which make `exe.txt` of `txt.exe`, and other
# invisible ones; separators of lines; lone surrogates, which no file system can be sure to store.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
# What Windows refuses in a name; a colon would name a stream inside of the file, or a drive.
_FORBIDDEN = re.compile(r'[<>:"|?*]')
# Devices in every directory of Windows, whatever extension follows; the superscript digits count too.
_DEVICE = re.compile(
    "(?:con|prn|aux|nul|conin[$]|conout[$]|(?:com|lpt)[0-9\xb9\xb2\xb3]) *+(?:[.].*+)?",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_EDGES = " \t\xa0\u3000"


def safe_filename(name: str, default: str = "download") -> str:
    """A name that can be joined to a directory's path, on every system, made of a name that a peer chose.

    It is the last part of a path in either style; it has no control and no invisible characters, none of `<>:"|?*`,
    which become `_`, no dot at its beginning (a peer could write `.netrc`) and neither dot nor space at its end; it
    is no device of Windows, and at most 255 octets of UTF-8 long with its extension kept. `default` where nothing is
    left. It may still be the name of a file that exists: open with mode `x`.

    Source: rule M14; the CVEs of wget (2010-2252) and others that trusted such names.
    """
    name = name[max(name.rfind("/"), name.rfind("\\")) + 1 :]
    name = _FORBIDDEN.sub("_", _INVISIBLE.sub("", name))
    name = name.strip(_EDGES).rstrip(f".{_EDGES}")
    without_dots = name.lstrip(".")
    if not without_dots.strip(_EDGES):
        return default
    if without_dots != name:
        name = f"_{without_dots}"
    if _DEVICE.fullmatch(name) is not None:
        name = f"_{name}"
    return _shortened(name)


def _shortened(name: str) -> str:
    octets = len(name.encode("utf-8"))
    if octets <= _MAX_OCTETS:
        return name
    stem, dot, extension = name.rpartition(".")
    suffix = f"{dot}{extension}".encode()
    if not stem or len(suffix) > _MAX_EXTENSION:
        stem, suffix = name, b""
    kept = stem.encode("utf-8")[: _MAX_OCTETS - len(suffix)].decode("utf-8", "ignore")
    return (kept + suffix.decode("utf-8")).rstrip(f".{_EDGES}")
