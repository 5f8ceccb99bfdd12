"""The demo in one command: start the servers, run the quickstart against them, stop them.

The exit code is the quickstart's: 0 only if every step was verified. ``--sabotage`` makes a server
lie, to show that the quickstart notices.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import get_args

from demo_server import demo_servers
from large_bodies import Sabotage
from rich.console import Console

_QUICKSTART = Path(__file__).resolve().with_name("quickstart.py")


def main() -> int:
    """Run the demo; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sabotage", choices=get_args(Sabotage), help="what the server lies about")
    sabotage: Sabotage | None = parser.parse_args().sabotage

    console = Console(highlight=False)
    with demo_servers(sabotage) as servers:
        console.print(f"[dim]httpbin answers at {servers.httpbin}[/]")
        console.print(f"[dim]large bodies come from {servers.bodies}[/]\n")
        # A process of its own: what is shown is the example as a reader would run it.
        command = (sys.executable, str(_QUICKSTART), servers.httpbin, servers.bodies)
        exit_code = subprocess.run(command, check=False).returncode
    console.print("[dim]the servers have stopped[/]")
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
