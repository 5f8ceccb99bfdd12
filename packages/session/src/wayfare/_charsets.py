"""Which charsets a peer may choose for its text.

Python's codecs are more than charsets: some are no text at all (hex, zlib), and punycode takes time that grows with the
square of its input. And every unknown name that is looked up stays in a cache for ever. So names are
compared with a pattern first; a caller who names an encoding himself is free to take any.

This loads with the first response that is read as text: the pattern takes a twentieth of the whole import's time.
"""

import codecs
import re

__all__ = ("is_text_charset",)

_NAME = re.compile(
    r"""utf[-_]?(?:8|16|32)(?:[-_]?[lb]e|[-_]sig)?
    | (?:us[-_])?ascii
    | (?:iso[-_]?)?8859[-_]?[0-9]{1,2} | latin[-_]?[0-9]{1,2} | l[0-9]
    | (?:windows|cp)[-_]?[0-9]{3,4} | ibm[0-9]{3,4} | koi8[-_]?[rut] | tis[-_]?620
    | gb2312 | gbk | gb18030 | big5(?:[-_]?hkscs)? | euc[-_]?(?:jp|kr)
    | (?:shift[-_]?jis|s[-_]?jis) | ms932 | iso[-_]?2022[-_]?(?:jp|kr)
    | mac[-_]?(?:roman|cyrillic|greek|turkish|latin2|iceland)""",
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)


def is_text_charset(name: str) -> bool:
    """Whether a charset that a peer named is one of text, known to Python, and decoded in linear time."""
    if _NAME.fullmatch(name) is None:
        return False
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True
