"""Sending a planned request and showing what comes back."""

import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from wayfare import (
    ClientHandlerType,
    ClientMiddlewareType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    FormData,
    HARRecorder,
    RequestOptions,
    SessionOptions,
)

from ._exit_codes import ExitCode, code_of_status
from ._items import Item, ItemKind
from ._plan import RequestPlan
from ._printing import FORMATTED, Parts, Printer

__all__ = ("CurlOnly", "Show", "send")

_STANDARD_INPUT: Final = Path("-")


class CurlOnly(Exception):
    """The command was asked for instead of the request; it is the argument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """Where an exchange is shown, and how much of it."""

    printer: Printer
    parts: Parts
    raw: BinaryIO | None = None
    """Takes the content as it is, in place of the printer."""
    path: Path | None = None
    """The file that takes the content, in place of both."""
    stream: bool = False
    """Whether content is printed as it arrives."""
    history: bool = False
    """Whether the redirects on the way are shown."""
    check_status: bool = False


@dataclass(slots=True)
class _Sent:
    """What a middleware sees of a request on its way."""

    show: Show
    curl: bool = False

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        if self.curl:
            raise CurlOnly(request.as_curl(secrets=True))
        parts, printer = self.show.parts, self.show.printer
        if parts.request_head:
            printer.request_head(request)
        if parts.request_content and request.body is not None:
            self._content(request)
        return await handler(request)

    def _content(self, request: ClientRequest) -> None:
        body = request.body
        media_type = request.headers.get("Content-Type", "").partition(";")[0].strip()
        text = None
        if isinstance(body, bytes):
            with suppress(UnicodeDecodeError):
                text = body.decode()
        if text is None:
            self.show.printer.note(
                f"({request.length or 'an unknown number of'} octets of content)"
            )
        else:
            self.show.printer.content(text, media_type)


async def send(
    plan: RequestPlan,
    show: Show,
    session_options: SessionOptions,
    request_options: RequestOptions,
    *,
    curl: bool = False,
    har: Path | None = None,
) -> ExitCode:
    """Send a request and show its response; the exit status that the response is worth.

    With `curl` nothing is sent. `har` is the file of an archive, which is written after a failure, too.

    Raises: `CurlOnly`, `ClientError`, TimeoutError, OSError, ValueError.
    Cancellation: the request is given up.
    """
    seen = _Sent(show, curl)
    middlewares: list[ClientMiddlewareType] = [*session_options.get("middlewares", ()), seen]
    async with AsyncExitStack() as stack:
        if har is not None:
            recorder = HARRecorder()
            middlewares.append(recorder)
            stack.push_async_callback(recorder.save, har)
        session_options["middlewares"] = middlewares
        options = _described(plan, request_options, stack)
        session = await stack.enter_async_context(ClientSession(**session_options))
        response = await stack.enter_async_context(
            session.request(plan.method, plan.url, **options)
        )
        if show.history:
            for one in response.history:
                show.printer.head(one)
        if show.parts.head:
            show.printer.head(response)
        if show.parts.content:
            await _show_content(response, show)
        return code_of_status(response.status) if show.check_status else ExitCode.OK


def _described(plan: RequestPlan, given: RequestOptions, stack: AsyncExitStack) -> RequestOptions:
    """The given options and what a plan adds to them; its files are open until the stack closes."""
    options: RequestOptions = {**given, "headers": plan.fields, "skip_auto_headers": plan.left_out}
    if plan.params:
        options["params"] = plan.params
    if plan.content_path is not None:
        if plan.content_path == _STANDARD_INPUT:
            options["data"] = sys.stdin.buffer
        else:
            options["data"] = stack.enter_context(plan.content_path.open("rb"))
    elif plan.content is not None:
        options["data"] = plan.content
    elif plan.form:
        options["data"] = _form(plan.form, plan.multipart, stack)
    elif plan.value is not None:
        options["json"] = plan.value
    return options


def _form(items: Sequence[Item], multipart: bool, stack: AsyncExitStack) -> FormData:
    form = FormData(default_to_multipart=multipart)
    for item in items:
        if item.kind is ItemKind.FILE:
            path = Path(item.value)
            form.add_field(item.name, stack.enter_context(path.open("rb")))
        else:
            form.add_field(item.name, item.read_text())
    return form


async def _save(response: ClientResponse, path: Path) -> int:
    """Write the content into a file, which it replaces, or to a device or a pipe; its octets."""
    if not _is_device(path):
        return (await response.save(path)).size
    size = 0
    with path.open("wb") as device:
        async for piece in response.content.iter_any():
            device.write(piece)
            size += len(piece)
    return size


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file()


async def _show_content(response: ClientResponse, show: Show) -> None:
    if show.path is not None:
        saved = await _save(response, show.path)
        show.printer.note(f"({saved} octets in {show.path})")
        return
    if show.raw is not None:
        async for piece in response.content.iter_any():
            show.raw.write(piece)
        show.raw.flush()
        return
    media_type = response.content_type
    printer = show.printer
    if show.stream or media_type == "text/event-stream":
        async for text in response.content.iter_text(response.get_encoding(), "replace"):
            printer.piece(text)
        return
    content = bytearray()
    while len(content) <= FORMATTED and (piece := await response.content.readany()):
        content += piece
    if len(content) > FORMATTED or b"\0" in content:
        size = response.content_length or f"{len(content)} and more"
        printer.note(f"({size} octets of {media_type}; -o FILE keeps them)")
    elif content:
        printer.content(content.decode(response.get_encoding(), "replace"), media_type)
