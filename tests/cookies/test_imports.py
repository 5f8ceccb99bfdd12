"""A jar needs no event loop and no network: importing the package brings neither."""

import subprocess
import sys

import wayfare_cookies


def test_import_brings_no_asyncio_socket_or_ssl() -> None:
    code = (
        "import sys, wayfare_cookies\n"
        "wayfare_cookies.PublicSuffixList().public_suffix('a.example')\n"
        "bad = {'asyncio', 'socket', 'ssl', 'email', 'http.cookiejar', 'http.cookies', 'sqlite3'}\n"
        "sys.exit(repr(sorted(bad & sys.modules.keys())) if bad & sys.modules.keys() else 0)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr) == (0, "")


def test_every_public_name_is_there_in_order() -> None:
    names = wayfare_cookies.__all__
    assert list(names) == sorted(names)
    assert all(hasattr(wayfare_cookies, name) for name in names)
