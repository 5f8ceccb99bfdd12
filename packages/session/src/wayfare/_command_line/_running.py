"""Running the program: every failure is one line and an exit status."""

import sys
from io import TextIOWrapper

import click

from ._exit_codes import ExitCode, code_of
from ._printing import one_line, report
from ._program import program
from ._sending import CurlOnly

__all__ = ("run",)


def run(arguments: list[str] | None = None) -> int:
    """Run the program on these arguments, or on those of the process; its exit status."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal that has no such character is no reason to show nothing at all.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status: int = program.main(arguments, prog_name="wayfare", standalone_mode=False)
    except CurlOnly as asked:
        click.echo(str(asked))
        return ExitCode.OK
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        report("interrupted")
        return ExitCode.INTERRUPTED
    except Exception as error:
        report(one_line(error))
        return code_of(error)
    return status
