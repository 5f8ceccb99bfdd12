"""How the sockets of a dialer are made."""

import socket
import sys
from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias, final

from ._addresses import AddrInfoType
from ._target import LocalAddress, check_local_address

__all__ = ("DEFAULT_SOCKETS", "SocketFactoryType", "SocketSettings")

_KEEP_IDLE: Final[int] = vars(socket).get("TCP_KEEPIDLE") or vars(socket)["TCP_KEEPALIVE"]
"""The option for the seconds before the first probe, which macOS calls otherwise."""

SocketFactoryType: TypeAlias = Callable[[AddrInfoType], socket.socket]
"""Makes the socket for an address; whatever it returns is connected to that."""


@final
class SocketSettings(NamedTuple):
    """What sockets are made with; see `TCPConnector` for what each means."""

    local_addr: LocalAddress | None = None
    interface: str | None = None
    tcp_keepalive: bool | float = False
    socket_factory: SocketFactoryType | None = None

    def checked(self) -> "SocketSettings":
        """These settings.

        Raises: `ValueError`, `TypeError` where something in them cannot be.
        """
        if self.local_addr is not None:
            check_local_address(self.local_addr)
        if self.interface is not None and not isinstance(self.interface, str):
            raise TypeError(f"interface must be a str, not {type(self.interface).__name__}")
        if self.socket_factory is not None and not callable(self.socket_factory):
            raise TypeError(f"socket_factory must be callable, not {self.socket_factory!r}")
        if self.interface is not None and sys.platform != "linux":
            raise ValueError("only Linux binds sockets to an interface: use local_addr instead")
        if self.tcp_keepalive is not True and not self.tcp_keepalive >= 0:
            raise ValueError("tcp_keepalive cannot be negative")
        return self

    def open(self, addr_info: AddrInfoType) -> socket.socket:
        """A socket for this address, not connected yet.

        Raises: `OSError`, and what the socket factory raises; then nothing stays open.
        """
        family, kind, proto, _, _ = addr_info
        make = self.socket_factory
        sock = socket.socket(family, kind, proto) if make is None else make(addr_info)
        try:
            self._set_up(sock)
        except BaseException:
            sock.close()
            raise
        return sock

    def _set_up(self, sock: socket.socket) -> None:
        if self.tcp_keepalive:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if self.tcp_keepalive is not True:
                seconds = max(1, round(self.tcp_keepalive))
                sock.setsockopt(socket.IPPROTO_TCP, _KEEP_IDLE, seconds)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, seconds)
        if self.interface is not None:
            sock.setsockopt(
                socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.interface.encode() + b"\0"
            )
        if self.local_addr is not None:
            sock.bind(self.local_addr)


DEFAULT_SOCKETS: Final = SocketSettings()
