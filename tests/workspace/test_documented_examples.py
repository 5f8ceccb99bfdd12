"""Every Python block of the documentation runs, against a server of this machine."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.checks.documented_examples import ExampleError, blocks, needed_services, run_page
from scripts.checks.members import ROOT
from scripts.examples_server import EchoServer

SHOWN = "http://localhost:8080"
"""The address that the documentation shows."""


def pages() -> list[Path]:
    """Everything that a user reads, if it holds Python."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("packages/*/README.md")]
    found += [path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts]
    return sorted(path for path in found if path.is_file() and blocks(path))


def page_parameters() -> list[object]:
    """Each page without the blocks that need a server, and once more with them."""
    parameters: list[object] = []
    for page in pages():
        name = str(page.relative_to(ROOT))
        parameters.append(pytest.param(page, [], id=name))
        services = needed_services(page)
        if services:
            marks = [pytest.mark.needs(service) for service in services]
            parameters.append(pytest.param(page, services, id=f"{name}, all", marks=marks))
    return parameters


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a running echo server."""
    with EchoServer() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.ended.set()
        running.shutdown()
        thread.join()


@pytest.mark.parametrize(("page", "services"), page_parameters())
def test_the_examples_of_a_page_run(
    page: Path,
    services: list[str],
    server: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    replace = {SHOWN: server, SHOWN.removeprefix("http://"): server.removeprefix("http://")}
    assert run_page(page, replace, services) > 0


def write(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


def test_blocks_share_names_and_may_await(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        "```python\nimport asyncio\nx = 1\n```\n\ntext\n\n"
        "```python\nawait asyncio.sleep(0)\nprint(x + 1)\n```\n\n```text\n2\n```\n\n"
        "```sh\nfalse\n```\n",
    )
    assert run_page(page) == 2


def test_a_failing_block_is_found_with_its_line(tmp_path: Path) -> None:
    page = write(tmp_path, "# Title\n\n```python\n1 / 0\n```\n")
    with pytest.raises(ZeroDivisionError) as caught:
        run_page(page)
    frame = caught.traceback[-1]
    assert (str(frame.path), frame.lineno + 1) == (str(page), 4)


def test_a_wrong_output_is_found(tmp_path: Path) -> None:
    page = write(tmp_path, "```python\nprint('yes')\n```\n\n```text\nno\n```\n")
    with pytest.raises(ExampleError, match="printed"):
        run_page(page)


def test_addresses_are_replaced_both_ways(tmp_path: Path) -> None:
    page = write(tmp_path, f"```python\nprint('{SHOWN}/get')\n```\n\n```text\n{SHOWN}/get\n```\n")
    assert run_page(page, {SHOWN: "http://127.0.0.1:1"}) == 1


def test_a_block_that_needs_a_server_waits_for_it(tmp_path: Path) -> None:
    page = write(
        tmp_path, "```python\nx = 1\n```\n\n<!-- needs: redis -->\n```python\nx = 1 / 0\n```\n"
    )
    assert needed_services(page) == ["redis"]
    assert run_page(page) == 1
    with pytest.raises(ZeroDivisionError):
        run_page(page, services=["redis"])


def test_a_shell_session_is_run_and_compared(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        "```console\n$ echo tea; echo none >&2\ntea\nnone\n$ printf '%s\\n' \\\n> a http://shown\na\nhttp://shown\n```\n",
    )
    assert run_page(page, {"http://shown": "http://real"}) == 1
    wrong = write(tmp_path, "```console\n$ echo tea\ncoffee\n```\n")
    with pytest.raises(ExampleError, match=r"printed 'tea\\n', not 'coffee\\n'"):
        run_page(wrong)
    with pytest.raises(ValueError, match="begins with a command"):
        run_page(write(tmp_path, "```console\ntea\n```\n"))
