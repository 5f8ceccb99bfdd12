"""Tools for tests of HTTP code: memory transports, a scripted peer, a fake clock, torture.

They are part of the public API: test your own protocols, dialers and clients with them. Nothing
here is imported by the rest of the package.
"""

from ._actions import (
    Action,
    Answer,
    Call,
    CloseWrite,
    Drip,
    Fin,
    Flood,
    Garbage,
    Read,
    ReadHead,
    ReadRequest,
    Repeat,
    Reset,
    Send,
    Serve,
    Stall,
    Wait,
)
from ._answers import InTurn
from ._body_check import check_request_body
from ._canonical_responses import CANONICAL_RESPONSES, CanonicalResponse
from ._clock import DeadlockError, FakeClockLoop, run_with_fake_clock
from ._connection_check import ConnectionCase, check_connection
from ._hostile_answers import HOSTILE_ANSWERS, HostileAnswer
from ._injection import Injection, Moment
from ._memory import MemoryTransport, memory_pair
from ._memory_network import MemoryNetwork
from ._recorders import RecordingFlow, RecordingProtocol, decoder_of, stream_of, ticks
from ._registry import TransportRegistry
from ._replies import Reply
from ._request_rules import BadRequestError, ReceivedRequest, RequestLimits
from ._request_scanner import RequestEnd, RequestEvent, RequestScanner
from ._scripted_peer import ScriptedPeer
from ._scripted_server import Script, ScriptedServer, listening, stop_accepting
from ._torture import TortureError, TortureFailure, TortureReport, await_points, torture
from ._world import Scenario, World

__all__ = (
    "CANONICAL_RESPONSES",
    "HOSTILE_ANSWERS",
    "Action",
    "Answer",
    "BadRequestError",
    "Call",
    "CanonicalResponse",
    "CloseWrite",
    "ConnectionCase",
    "DeadlockError",
    "Drip",
    "FakeClockLoop",
    "Fin",
    "Flood",
    "Garbage",
    "HostileAnswer",
    "InTurn",
    "Injection",
    "MemoryNetwork",
    "MemoryTransport",
    "Moment",
    "Read",
    "ReadHead",
    "ReadRequest",
    "ReceivedRequest",
    "RecordingFlow",
    "RecordingProtocol",
    "Repeat",
    "Reply",
    "RequestEnd",
    "RequestEvent",
    "RequestLimits",
    "RequestScanner",
    "Reset",
    "Scenario",
    "Script",
    "ScriptedPeer",
    "ScriptedServer",
    "Send",
    "Serve",
    "Stall",
    "TortureError",
    "TortureFailure",
    "TortureReport",
    "TransportRegistry",
    "Wait",
    "World",
    "await_points",
    "check_connection",
    "check_request_body",
    "decoder_of",
    "listening",
    "memory_pair",
    "run_with_fake_clock",
    "stop_accepting",
    "stream_of",
    "ticks",
    "torture",
)
