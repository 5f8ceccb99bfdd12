"""Every reason for which a cookie is stored, refused, sent or withheld, with the section that says
so.

The storage and retrieval algorithms answer with a member of `Rule`; `explain` shows it to people.
"""

from enum import Enum

__all__ = ("Rule",)


class Rule(Enum):
    """One rule about a cookie: `section` says where it stands, `reason` is the sentence for people.

    Sections are those of RFC 6265bis; "CHIPS" is the draft for partitioned cookies; "jar" is a
    choice of this jar.
    """

    section: str
    reason: str

    def __init__(self, section: str, reason: str) -> None:
        self.section = section
        self.reason = reason

    # Receiving.
    STORED = "5.7 step 24", "the cookie is new and was stored"
    REPLACED = "5.7 step 23", "the cookie took the place of the one with the same identity"
    DELETED = "5.7 step 24", "the cookie had expired on arrival, which removes the stored one"
    CONTROL_CHARACTER = "5.6 step 1", "the field holds a control character"
    EMPTY = "5.7 step 2", "name and value are both empty"
    TOO_LONG = "5.7 step 4", "name and value together are longer than 4,096 octets"
    NO_HOST = "5.1.2", "the URL has no host that a cookie could belong to"
    IP_ADDRESS = (
        "jar: unsafe",
        "the host is an IP address and the jar was not made with unsafe=True",
    )
    BAD_DOMAIN = "5.7 step 8", "the Domain attribute is no host name"
    PUBLIC_SUFFIX = "5.7 step 9", "the Domain attribute is a public suffix"
    DOMAIN_MISMATCH = "5.7 step 10", "the host does not lie in the Domain attribute's domain"
    INSECURE_ORIGIN = "5.7 step 13", "a Secure cookie came over an insecure connection"
    SECURE_OVERLAY = "5.7 step 16", "an insecure response would hide a Secure cookie of that name"
    CROSS_SITE_RESPONSE = "5.7 step 18", "a SameSite cookie came with a cross-site response"
    NONE_NOT_SECURE = "5.7 step 19", "SameSite=None without Secure"
    BAD_PATH = "5.6.4", "the saved path is no path"
    SECURE_PREFIX = "5.7 step 20", "a __Secure- cookie without Secure"
    HOST_PREFIX = "5.7 step 21", "a __Host- cookie needs Secure, Path=/ and no Domain"
    NAMELESS_PREFIX = "5.7 step 22", "a cookie without a name whose value imitates a name prefix"
    PARTITIONED_NOT_SECURE = "CHIPS", "Partitioned without Secure"
    NO_ROOM = "jar: limits", "the jar is full of cookies that go later than this one"

    # Sending.
    SENT = "5.8.3", "the cookie matches the request"
    EXPIRED = "5.7", "the cookie has expired"
    OTHER_DOMAIN = "5.8.3 step 1", "the host does not lie in the cookie's domain"
    OTHER_HOST = "5.8.3 step 1", "the cookie belongs to its own host only"
    OTHER_PATH = "5.8.3 step 1", "the request's path does not lie under the cookie's path"
    NEEDS_SECURE = "5.8.3 step 1", "a Secure cookie is not sent over an insecure connection"
    CROSS_SITE_REQUEST = (
        "5.8.3 step 1",
        "a SameSite cookie is not sent with this cross-site request",
    )
    OTHER_PARTITION = "CHIPS", "the cookie belongs to another top-level site's partition"
    HEADER_LIMIT = "jar: limits", "the Cookie field would become longer than the jar allows"
