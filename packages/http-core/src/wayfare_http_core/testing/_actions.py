"""What a scripted peer can do: a script is a sequence of these values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, final

from ._replies import Reply

if TYPE_CHECKING:
    from ._request_rules import ReceivedRequest
    from ._scripted_peer import ScriptedPeer

__all__ = (
    "Action",
    "Answer",
    "Call",
    "CloseWrite",
    "Drip",
    "Fin",
    "Flood",
    "Garbage",
    "Read",
    "ReadHead",
    "ReadRequest",
    "Repeat",
    "Reset",
    "Send",
    "Serve",
    "Stall",
    "Wait",
)


@final
@dataclass(frozen=True, slots=True)
class ReadHead:
    """Wait for the next request's head, up to and with the blank line."""


@final
@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Wait for a whole request; after `ReadHead`, for that request's content."""


@final
@dataclass(frozen=True, slots=True)
class Read:
    """Wait for that many octets, whatever they mean."""

    count: int


@final
@dataclass(frozen=True, slots=True)
class Send:
    """Send the octets at once; the script goes on when the transport has taken them all."""

    data: bytes


@final
@dataclass(frozen=True, slots=True)
class Drip:
    """Send the octets in pieces of `size`: one in each loop iteration, or one every so many seconds."""

    data: bytes
    size: int = 1
    seconds: float = 0.0


@final
@dataclass(frozen=True, slots=True)
class Flood:
    """Send the octets once in each loop iteration: so many times, or until the connection ends."""

    data: bytes
    times: int | None = None


@final
@dataclass(frozen=True, slots=True)
class Garbage:
    """Send `count` random octets, the same ones for the same seed."""

    seed: int
    count: int = 64


@final
@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for that many seconds of the loop's clock."""

    seconds: float


@final
@dataclass(frozen=True, slots=True)
class Stall:
    """Do nothing ever after, and ignore the client's FIN as well. Reading goes on."""

    reading: bool = True
    """False leaves what arrives in the transport, so that the client's writes block."""


@final
@dataclass(frozen=True, slots=True)
class CloseWrite:
    """Send FIN and keep reading (a half-close). Plain connections only."""


@final
@dataclass(frozen=True, slots=True)
class Fin:
    """Close the connection: FIN after what was sent (with TLS, close_notify first).

    Nothing of the script comes after it.
    """


@final
@dataclass(frozen=True, slots=True)
class Reset:
    """Break the connection: RST after what was sent. Nothing of the script comes after it."""


@final
@dataclass(frozen=True, slots=True)
class Call:
    """Call a function with the peer: to look at what arrived, or to answer with `peer.write`."""

    function: "Callable[[ScriptedPeer], object]"


@final
@dataclass(frozen=True, slots=True)
class Repeat:
    """Run the actions over and over until the connection ends. They must wait for something."""

    actions: "tuple[Action, ...]"

    def __init__(self, *actions: "Action") -> None:
        object.__setattr__(self, "actions", actions)


@final
@dataclass(frozen=True, slots=True)
class Serve:
    """Answer every request until the connection ends.

    A request is read whole first, and told to continue if it asks; with `at_head` its answer begins as soon as its head
    is there, and the content is read afterwards, unless the answer reads it. See `Answer` for what can be said.
    """

    answer: "Answer"
    at_head: bool = False


Action: TypeAlias = (
    ReadHead
    | ReadRequest
    | Read
    | Send
    | Drip
    | Flood
    | Garbage
    | Wait
    | Stall
    | CloseWrite
    | Fin
    | Reset
    | Call
    | Repeat
    | Reply
    | Serve
)
"""One step of a script: what a scripted server reads, sends or waits for."""

Answer: TypeAlias = (
    "Action | Sequence[Action] | Mapping[str, Answer] | Callable[[ReceivedRequest], Answer]"
)
"""What a request is answered with: an action or several; by its path ("/a", "POST /a", or "*" for all others; without
that they get 404); or whatever a function says to the request."""
