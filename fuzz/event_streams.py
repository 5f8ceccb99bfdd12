"""Target: events are what the HTML standard's algorithm gives, however the stream is cut."""

from wayfare import EventParser, ServerSentEvent

from .properties import cuts

__all__ = ("events",)


def events(data: bytes) -> None:
    """The parser agrees with the standard's steps, one by one, and never raises."""
    plan, stream = data[:2], data[2:]
    if len(plan) < 2:
        return
    parser = EventParser()
    found = [event for piece in cuts(plan[0], plan[1], stream) for event in parser.feed(piece)]
    expected, last_id = _by_the_standard(stream)
    if found != expected or parser.last_event_id != last_id or parser.error is not None:
        raise AssertionError(f"{found} with {parser.last_event_id!r} is not {expected}")


def _by_the_standard(stream: bytes) -> tuple[list[ServerSentEvent], str]:
    """Section 9.2.6 in its own order: decode, take lines off, process fields, dispatch."""
    text = stream.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    found: list[ServerSentEvent] = []
    data = kind = last_id = pending_id = ""
    retry: int | None = None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for line in lines[:-1]:
        name, colon, value = line.partition(":")
        value = value[1:] if value[:1] == " " else value
        if not line:
            last_id = pending_id
            if data:
                found.append(ServerSentEvent(kind or "message", data[:-1], last_id, retry))
            data = kind = ""
            retry = None
        elif colon and not name:
            continue
        elif name == "data":
            data += value + "\n"
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            pending_id = value
        elif name == "retry" and value and set(value) <= set("0123456789"):
            digits = value.lstrip("0") or "0"
            retry = int(digits) if len(digits) < 10 else 999_999_999
    return found, last_id
