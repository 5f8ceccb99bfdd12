"""Tools for tests of HTTP code: memory transports, a scripted peer, a fake clock, torture.

They are part of the public API: test your own protocols, dialers and clients with them. Nothing
here is imported by the rest of the package.
"""

from ._clock import DeadlockError, FakeClockLoop, run_with_fake_clock
from ._memory import MemoryTransport, memory_pair
from ._registry import TransportRegistry

__all__ = (
    "DeadlockError",
    "FakeClockLoop",
    "MemoryTransport",
    "TransportRegistry",
    "memory_pair",
    "run_with_fake_clock",
)
