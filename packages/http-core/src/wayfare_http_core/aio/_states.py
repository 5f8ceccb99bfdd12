"""The states of an HTTP/1.1 connection, and what leads from one to another.

    FREE --exchange()--> BUSY --response and request both complete--> FREE   (owner: connection_idle)
      |                    |
      |                    +--upgrade()--> UPGRADED --release()--+
      |                    |                                     |
      +----- close(), abort(), the peer, an error -----> RETIRED --transport gone--> LOST
                                             (owner: connection_retired)   (owner: connection_lost)

A connection without a transport is FREE, too, and offers no exchange.
"""

import enum

__all__ = ("State",)


class State(enum.Enum):
    """Where a connection stands; the value says it in an error's words."""

    FREE = "free"
    BUSY = "busy with another exchange"
    UPGRADED = "upgraded to another protocol"
    RETIRED = "closed"
    LOST = "closed and gone"
