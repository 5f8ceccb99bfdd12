"""Tools for tests of programs that use Wayfare: the network is played, and the session is a real one.

They are part of the public API. Nothing here is imported by the rest of the package.
"""

from ._asgi import ASGIApplication, ASGIConnector
from ._calls import MockCall, MockReply, ReplyOptions
from ._cassette_connector import CassetteConnector, CassetteMode, Match
from ._expectations import Criteria, Expectation
from ._faults import Fault, FaultDialer
from ._mock_book import UnexpectedRequestError, UnmetExpectationsError
from ._mock_connector import MockConnector
from ._mock_server import MockServer

__all__ = (
    "ASGIApplication",
    "ASGIConnector",
    "CassetteConnector",
    "CassetteMode",
    "Criteria",
    "Expectation",
    "Fault",
    "FaultDialer",
    "Match",
    "MockCall",
    "MockConnector",
    "MockReply",
    "MockServer",
    "ReplyOptions",
    "UnexpectedRequestError",
    "UnmetExpectationsError",
)
