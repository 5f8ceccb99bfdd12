"""Tools for tests of dialers, resolvers, connectors, and of whatever uses them.

They are part of the public API. Nothing here is imported by the rest of the package.
"""

from ._cancelling import cancel_at_every_await
from ._checks import (
    ConnectorCase,
    DialerCase,
    MakeConnector,
    ResolverCase,
    check_address_policy,
    check_connector,
    check_dialer,
    check_proxy_chooser,
    check_resolver,
)
from ._fake_choices import FakeAddressPolicy, FakeProxyChooser
from ._fakes import FakeResolver, MemoryDialer, RecordingObserver
from ._memory_connector import MemoryConnector
from ._observer_check import check_connect_observer

__all__ = (
    "ConnectorCase",
    "DialerCase",
    "FakeAddressPolicy",
    "FakeProxyChooser",
    "FakeResolver",
    "MakeConnector",
    "MemoryConnector",
    "MemoryDialer",
    "RecordingObserver",
    "ResolverCase",
    "cancel_at_every_await",
    "check_address_policy",
    "check_connect_observer",
    "check_connector",
    "check_dialer",
    "check_proxy_chooser",
    "check_resolver",
)
