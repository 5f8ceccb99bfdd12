"""What `filter_cookies` answers: the cookies of one request, by name and in sending order."""

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
    first, and `all` has both.
    """

    __slots__ = ("_by_name", "all")

    all: tuple[Cookie, ...]
    """Every cookie, in the order in which they are sent."""

    def __init__(self, cookies: Iterable[Cookie] = ()) -> None:
        self.all = tuple(cookies)
        by_name: dict[str, Cookie] = {}
        for cookie in self.all:
            by_name.setdefault(cookie.name, cookie)
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
