"""Writing a file that only its owner reads, whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

__all__ = ("sync_directory", "write_private")


def write_private(path: Path, text: str) -> None:
    """Put text (UTF-8) in the place of a file, with mode 0600.

    The text goes into a new file beside it, reaches the disk, and is renamed: whoever reads, and whatever dies in
    between, finds the old file or the new one. A process that is killed may leave its `.NAME.….tmp` behind.

    Raises:
        OSError: the old file is as it was.
    """
    beside = path.with_name(f".{path.name}.{token_hex(8)}.tmp")
    # O_EXCL: nobody may have put a file, or a link to one, in that place.
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    sync_directory(path.parent)


def sync_directory(folder: Path) -> None:
    """Bring a rename to the disk, where the system can: Windows opens no directories, and needs none of this."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
