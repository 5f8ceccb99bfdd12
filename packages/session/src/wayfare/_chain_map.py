"""`ChainMapProxy`: several mappings, seen as one."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, final

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("ChainMapProxy",)


@final
class ChainMapProxy(Mapping[Any, Any]):
    """A read-only view of mappings: each key has the value of the first mapping that knows it.

    What changes in one of them is seen. Keys come in the order of the mappings, each once.
    """

    __slots__ = ("_maps",)

    def __init__(self, maps: Iterable[Mapping[Any, Any]]) -> None:
        self._maps = tuple(maps)

    @override
    def __getitem__(self, key: object) -> Any:
        for mapping in self._maps:
            try:
                return mapping[key]
            except KeyError:
                continue
        raise KeyError(key)

    @override
    def __contains__(self, key: object) -> bool:
        return any(key in mapping for mapping in self._maps)

    @override
    def __iter__(self) -> Iterator[Any]:
        return iter(dict.fromkeys(key for mapping in self._maps for key in mapping))

    @override
    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return any(self._maps)

    @override
    def __repr__(self) -> str:
        return f"ChainMapProxy({', '.join(map(repr, self._maps))})"
