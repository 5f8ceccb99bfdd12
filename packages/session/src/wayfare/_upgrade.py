"""Taking the connection of a response over, when HTTP ended on it."""

from wayfare_http_core import ClientConnectionError
from wayfare_http_core.aio import HTTP1Connection, Upgraded

from ._response import ClientResponse

__all__ = ("take_over",)


def take_over(response: ClientResponse) -> Upgraded:
    """What is left of the connection after a 101 response: set another protocol before you await anything.

    Raises: `ClientConnectionError` when the connection is gone, RuntimeError where nothing was upgraded, or where the
    connection knows no upgrades.
    """
    held = response.connection
    connection = None if held is None else held.protocol
    if connection is None:
        raise ClientConnectionError("the connection was closed before it was taken over")
    if not isinstance(connection, HTTP1Connection):
        response.close()
        raise RuntimeError(f"a {type(connection).__name__} cannot be taken over")
    return connection.upgrade()
