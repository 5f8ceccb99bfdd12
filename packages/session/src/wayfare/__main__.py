"""`python -m wayfare`: the command line."""

import sys

__all__ = ("main",)


def main() -> int:
    """Run the command line and return its exit status."""
    try:
        # Imported here: the libraries of the terminal come with an extra.
        from ._command_line._running import run
    except ModuleNotFoundError as missing:
        if missing.name not in ("click", "rich"):
            raise
        sys.stderr.write(
            f"wayfare: the command line needs {missing.name}: pip install 'wayfare[cli]'\n"
        )
        return 1
    return run()


if __name__ == "__main__":
    sys.exit(main())
