"""Writing a file whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

__all__ = ("write_whole",)


def write_whole(path: Path, text: str) -> None:
    """Replace a file by one with this text, in UTF-8; whoever reads it meanwhile sees the old one or the new one.

    It blocks. A new file is readable for its owner alone, one that is replaced keeps its permissions.

    Raises: OSError; the old file is there as before then.
    """
    # In the same folder: only there a rename is one step.
    with NamedTemporaryFile(
        "w", encoding="utf-8", newline="\n", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            file.close()
            with suppress(FileNotFoundError):
                os.chmod(file.name, path.stat().st_mode & 0o777)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
