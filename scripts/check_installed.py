"""Check an environment that holds installed wheels: every root imports from there, the parser that all
others stand on reads a response, frames are masked as they should be, and nothing else is installed.

    python check_installed.py wayfare_http_core --beside multidict typing-extensions

Run it with the environment's own interpreter; it must not see the checkout.
"""

import argparse
import importlib
import inspect
import sys
from importlib.metadata import distributions
from pathlib import Path


def installed() -> set[str]:
    """The names of all installed distributions, as PEP 503 writes them."""
    return {found.name.lower().replace("_", "-") for found in distributions()}


def import_problems(roots: list[str]) -> list[str]:
    """Import each package; say which came from somewhere else, lacks its marker or a name of its
    `__all__`.
    """
    problems = []
    for root in roots:
        module = importlib.import_module(root)
        folder = Path(str(module.__file__)).parent
        if not folder.is_relative_to(sys.prefix):
            problems.append(f"{root} comes from {folder}")
        if not (folder / "py.typed").is_file():
            problems.append(f"{root} has no py.typed")
        problems += [f"{root} lacks {name}" for name in module.__all__ if not hasattr(module, name)]
        print(f"import {root}: {len(module.__all__)} public names, version {module.__version__}")
    return problems


SAMPLE = (
    b"HTTP/1.1 200 OK\r\n"
    b"Server: nginx/1.24.0 (Ubuntu)\r\n"
    b"Date: Mon, 03 Jun 2024 09:21:47 GMT\r\n"
    b"Content-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n"
    b"Connection: keep-alive\r\n"
    b"Content-Encoding: gzip\r\n"
    b"\r\n"
    b"1f\r\n"
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabV\xca\xcfV\xb2*)*M\xad\x05\x00\x90_\xd4\xa7\x0b\x00\x00\x00\r\n"
    b"0\r\n\r\n"
)
"""`{"ok":true}` in the form in which common servers send it."""


def response_problems(wire: bytes = SAMPLE) -> list[str]:
    """Read a response with what is installed; say what was not read as it should be."""
    core = importlib.import_module("wayfare_http_core")
    parser = core.ResponseParser()
    parser.begin("GET")
    events = parser.feed(wire)
    kinds = [type(event).__name__ for event in events]
    if kinds != ["ResponseHead", "bytes", "EndOfMessage"] or not parser.reusable:
        return [f"the response was read as {kinds}, then: {parser.state}"]
    head, content, _ = events
    problems = []
    if (head.status, head.reason, len(head.headers)) != (200, "OK", 6):
        problems.append(f"the head was read as {head!r}")
    codings = core.parse_content_codings(head.headers.getall("content-encoding", []))
    decoder = core.make_decoder(codings)
    text = decoder.decode(content, 100) if decoder is not None else content
    if text != b'{"ok":true}':
        problems.append(f"the content was read as {text!r}")
    print(f"a sample response: {head.status} and {len(text)} octets of content")
    return problems


def frame_problems(compiled: str) -> list[str]:
    """Mask a payload with what is installed; say what came out wrong, and whether C or Python did it."""
    module = importlib.import_module("wayfare_websocket")
    key, data = b"\x01\x82\x03\xf4", bytes(range(251)) * 99
    expected = bytes(octet ^ key[index % 4] for index, octet in enumerate(data))
    by_what = "no" if inspect.isfunction(module.mask_payload) else "yes"
    print(f"frames: compiled: {by_what}")
    problems = []
    if module.mask_payload(data, key) != expected:
        problems.append("a payload was not masked as it should be")
    if compiled not in ("any", by_what):
        problems.append(f"frames are compiled: {by_what}")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("roots", nargs="+", help="the packages to import")
    parser.add_argument("--beside", nargs="*", help="the only other distributions allowed there")
    parser.add_argument(
        "--compiled", choices=("yes", "no", "any"), default="any", help="what frames are to be"
    )
    arguments = parser.parse_args()
    problems = import_problems(arguments.roots)
    if "wayfare_http_core" in arguments.roots:
        problems += response_problems()
    if "wayfare_websocket" in arguments.roots:
        problems += frame_problems(arguments.compiled)
    if arguments.beside is not None:
        allowed = {*arguments.beside, *(root.replace("_", "-") for root in arguments.roots)}
        problems += [f"{name} is installed too" for name in sorted(installed() - allowed)]
    for problem in problems:
        print(f"FAILED: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
