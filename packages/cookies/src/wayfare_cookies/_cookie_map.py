"""What `filter_cookies` answers: the cookies of one request or response, by name and in their order."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import final

from ._cookie import Cookie

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("CookieMap",)


@final
class CookieMap(Mapping[str, Cookie]):
    """Cookies by name, read-only.

    Two cookies of one name may go with a request (from two paths, or two domains); the mapping has the one that is sent
    first, and `all` has both. With `later_wins` the mapping has the last one, as it stands for a response's.
    """

    __slots__ = ("_by_name", "all")

    all: tuple[Cookie, ...]
    """Every cookie, in the order in which they are sent or came."""

    def __init__(self, cookies: Iterable[Cookie] = (), *, later_wins: bool = False) -> None:
        self.all = tuple(cookies)
        by_name: dict[str, Cookie] = {}
        for cookie in self.all:
            if later_wins or cookie.name not in by_name:
                by_name[cookie.name] = cookie
        self._by_name = by_name

    @override
    def __getitem__(self, name: str) -> Cookie:
        return self._by_name[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    @override
    def __len__(self) -> int:
        return len(self._by_name)

    @override
    def __repr__(self) -> str:
        return f"<CookieMap {list(self.all)!r}>"
