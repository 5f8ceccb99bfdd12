"""The program: commands, their options and arguments, and how failures end it."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import click
from rich.console import Console

from wayfare import RequestOptions, WSConnectOptions, __version__

from ._console import Conversation, converse
from ._downloading import Downloads, download_all, paths_for
from ._exit_codes import ExitCode
from ._plan import ContentForm, plan_request, plan_websocket, read_url
from ._printing import Parts, Pretty, Printer
from ._sending import Show, send
from ._settings import Way, credential_fields, request_options, session_options

__all__ = ("program",)

Function = TypeVar("Function", bound=Callable[..., Any])

_PRETTY: Final = {
    "all": Pretty(colours=True, format=True),
    "colors": Pretty(colours=True, format=False),
    "format": Pretty(colours=False, format=True),
    "none": Pretty(colours=False, format=False),
}
_CONTENT_ALONE: Final = Parts(head=False)
_FILE: Final = click.Path(dir_okay=False, path_type=Path)

_WAY: Final = (
    click.option("-a", "--auth", metavar="USER[:PASSWORD] | TOKEN", help="Credentials."),
    click.option(
        "-A",
        "--auth-type",
        type=click.Choice(["basic", "bearer", "digest"]),
        default="basic",
        show_default=True,
        help="What the credentials are.",
    ),
    click.option("--proxy", metavar="URL", help="A proxy to go through."),
    click.option(
        "--trust-env/--no-trust-env",
        default=True,
        show_default=True,
        help="Whether HTTP_PROXY and its kin count.",
    ),
    click.option(
        "--verify/--no-verify", default=True, show_default=True, help="Whether to verify servers."
    ),
    click.option("--ca", type=_FILE, help="Certificates of authorities to trust (PEM)."),
    click.option("--cert", "certificate", type=_FILE, help="A certificate of our own (PEM)."),
    click.option("--key", type=_FILE, help="Its key, where that is in another file."),
    click.option(
        "--unix-socket", type=_FILE, help="Connect to this socket, whatever the URL's host."
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        help="Seconds for the whole request.",
    ),
    click.option("-F", "--follow", is_flag=True, help="Follow redirects."),
    click.option(
        "--retry",
        "attempts",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="How often to ask at most.",
    ),
    click.option(
        "--max-redirects",
        type=click.IntRange(min=0),
        default=10,
        show_default=True,
        help="How many.",
    ),
)


class _Program(click.Group):
    """A group whose usual command needs no name: what is no command is a request."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "--version"):
            args = ["request", *args]
        return super().parse_args(ctx, args)


def _with(options: tuple[Callable[[Function], Function], ...]) -> Callable[[Function], Function]:
    def decorate(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


@click.group(cls=_Program, no_args_is_help=True)
@click.version_option(__version__, message="wayfare %(version)s")
def program() -> None:
    """Send HTTP requests and look at the answers.

    `wayfare [request] [METHOD] URL [ITEM]...` sends one; all other commands say what they do with --help.

    \b
    Exit status: 0 done · 1 another error · 2 wrong use · 3, 4, 5 a redirect, 4xx, 5xx (with --check-status)
    6 too many redirects · 7 timeout · 8 no connection · 9 TLS · 10 proxy · 11 no HTTP, or cut short · 12 a file
    """


@program.command()
@click.argument("words", nargs=-1, required=True, metavar="[METHOD] URL [ITEM]...")
@click.option(
    "-j",
    "--json",
    "form",
    flag_value=ContentForm.JSON,
    default=ContentForm.JSON,
    type=ContentForm,
    help="Items make a JSON object (the default).",
)
@click.option(
    "-f", "--form", "form", flag_value=ContentForm.FORM, type=ContentForm, help="Items make a form."
)
@click.option(
    "--multipart",
    "form",
    flag_value=ContentForm.MULTIPART,
    type=ContentForm,
    help="Items make a multipart form, files or not.",
)
@click.option("--raw", help="The content, as it is.")
@click.option(
    "--compress", type=click.Choice(["gzip", "deflate", "br", "zstd"]), help="Compress the content."
)
@click.option("-v", "--verbose", is_flag=True, help="Show the request, too.")
@click.option(
    "-h", "--headers", "only_head", is_flag=True, help="Show the head of the response only."
)
@click.option(
    "-b", "--body", "only_content", is_flag=True, help="Show the content of the response only."
)
@click.option(
    "--print",
    "letters",
    metavar="HBhb",
    help="Show these: head and content of request (H, B) and response (h, b).",
)
@click.option("--all", "history", is_flag=True, help="Show the redirects on the way.")
@click.option("-S", "--stream", is_flag=True, help="Show text as it arrives.")
@click.option("-o", "--output", type=_FILE, help="Write the content to this file.")
@click.option(
    "--pretty",
    type=click.Choice(list(_PRETTY)),
    help="Colours and lines: all on a terminal, else none.",
)
@click.option(
    "--style", default="ansi_dark", show_default=True, help="A theme of Pygments for content."
)
@click.option("--har", type=_FILE, help="Keep the exchanges in an HTTP Archive, without secrets.")
@click.option("--check-status", is_flag=True, help="Let the exit status tell the status.")
@click.option(
    "--curl", is_flag=True, help="Print the command of curl that sends the request; send nothing."
)
@_with(_WAY)
def request(words: tuple[str, ...], **options: Any) -> ExitCode:
    """Send one request.

    \b
    Items: Name:value    a field of the request       name=value     a string in the content
           Name:         without this automatic one   name:=value    JSON in the content
           name==value   a query parameter            name@path      a file
           @path, @-     the whole content            =@  :=@        a string, JSON from a file
    """
    way = _way(options)
    plan = plan_request(words, options["form"], _octets(options["raw"]))
    plan = plan.with_fields(credential_fields(way))
    parts, on_terminal = _parts(options), sys.stdout.isatty()
    pretty = _PRETTY[options["pretty"] or ("all" if on_terminal else "none")]
    plain = not on_terminal and options["pretty"] is None and parts == _CONTENT_ALONE
    show = Show(
        printer=Printer(_console(pretty), pretty, options["style"]),
        parts=parts,
        raw=sys.stdout.buffer if plain else None,
        path=options["output"],
        stream=options["stream"],
        history=options["history"],
        check_status=options["check_status"],
    )
    sending = send(
        plan,
        show,
        session_options(way),
        request_options(way),
        curl=options["curl"],
        har=options["har"],
    )
    return _finish(sending)


@program.command()
@click.argument("words", nargs=-1, required=True, metavar="URL...")
@click.option(
    "-d",
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where the files go.",
)
@click.option("-o", "--output", type=_FILE, help="The name of the file, where it is one.")
@click.option(
    "--jobs", type=click.IntRange(min=1), default=4, show_default=True, help="Files at once."
)
@click.option(
    "--connections",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Parts of each file at once.",
)
@click.option(
    "--resume/--no-resume",
    default=True,
    show_default=True,
    help="Go on with what an earlier download left.",
)
@click.option("--sha256", metavar="HEX", help="What the file must be, where it is one.")
@_with(_WAY)
def download(words: tuple[str, ...], **options: Any) -> ExitCode:
    """Download files; each has its name only once it is whole."""
    way = replace(_way(options), follow=True)
    urls = [read_url(word) for word in words]
    output, checksum = options["output"], options["sha256"]
    if len(urls) > 1 and (output is not None or checksum is not None):
        raise ValueError("--output and --sha256 are for one file alone")
    paths = [output] if output is not None else paths_for(urls, options["directory"])
    on_terminal = sys.stdout.isatty()
    pretty = _PRETTY["all" if on_terminal else "none"]
    console = _console(pretty)
    downloads = Downloads(
        printer=Printer(console, pretty, "default"),
        console=console if on_terminal else None,
        jobs=options["jobs"],
        connections=options["connections"],
        resume=options["resume"],
        sha256=checksum,
    )
    files = list(zip(urls, paths, strict=True))
    asking: RequestOptions = {**request_options(way), "headers": credential_fields(way)}
    if way.timeout is not None:
        # A download has no limit on the whole, not even its session's, unless it is told so itself.
        asking["timeout"] = way.timeout
    return _finish(download_all(files, downloads, session_options(way), asking))


@program.command("ws")
@click.argument("words", nargs=-1, required=True, metavar="URL [ITEM]...")
@click.option(
    "--protocol", "protocols", multiple=True, help="A subprotocol to offer; may be said again."
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Seconds without a message after the end of the input.",
)
@click.option(
    "--heartbeat",
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds of silence before a Ping.",
)
@_with(_WAY)
def websocket(words: tuple[str, ...], **options: Any) -> ExitCode:
    """Talk to a WebSocket: lines in are messages out, messages in are lines out."""
    way = _way(options)
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    pretty = _PRETTY["all" if interactive else "none"]
    conversation = Conversation(
        printer=Printer(_console(pretty), pretty, "default"),
        interactive=interactive,
        wait=options["wait"],
    )
    connecting: WSConnectOptions = cast(WSConnectOptions, request_options(way))
    connecting["protocols"] = options["protocols"]
    connecting["heartbeat"] = options["heartbeat"]
    plan = plan_websocket(words).with_fields(credential_fields(way))
    return _finish(converse(plan, conversation, session_options(way), connecting))


def _finish(work: Coroutine[Any, Any, ExitCode]) -> ExitCode:
    """Run the command's work; its exit status."""
    try:
        return asyncio.run(work)
    except BrokenPipeError:
        # Whoever read our output has seen enough; what is left of it has nowhere to go.
        sys.stdout = None
        return ExitCode.OK


def _way(options: dict[str, Any]) -> Way:
    """The options that are about the way, taken out of all; a password is asked for where a terminal can be."""
    chosen = {field.name: options.pop(field.name) for field in fields(Way) if field.name in options}
    auth = chosen["auth"]
    if auth is not None and chosen["auth_type"] != "bearer" and ":" not in auth:
        if not sys.stdin.isatty():
            raise ValueError(f"{auth} has no password: USER:PASSWORD, or a terminal to ask on")
        password = click.prompt(f"Password of {auth}", hide_input=True, err=True)
        chosen["auth"] = f"{auth}:{password}"
    return Way(**chosen)


def _parts(options: dict[str, Any]) -> Parts:
    if options["letters"] is not None:
        return Parts.parse(options["letters"])
    if options["verbose"]:
        return Parts(request_head=True, request_content=True)
    if options["only_head"]:
        return Parts(content=False)
    if options["only_content"] or not sys.stdout.isatty():
        return _CONTENT_ALONE
    return Parts()


def _console(pretty: Pretty) -> Console:
    return Console(
        force_terminal=True if pretty.colours else None,
        no_color=not pretty.colours,
        highlight=False,
        markup=False,
        emoji=False,
    )


def _octets(raw: str | None) -> bytes | None:
    return None if raw is None else raw.encode("utf-8", "surrogateescape")
