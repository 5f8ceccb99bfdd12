"""`ModelIterator`: the values of JSON lines, each made into a type."""

import sys
from collections.abc import AsyncIterator
from typing import Any, final

from ._json_models import read_model, reader_of

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("ModelIterator",)


@final
class ModelIterator(AsyncIterator[Any]):
    """Iterates over values of JSON as a type; made by `ClientResponse.json_lines`.

    Raises: TypeError for a type that JSON cannot be made into; when iterated, `JSONModelError` for a value that is not
    what it takes, after which comes the next value; else as the values.
    Cancellation: loses nothing.
    """

    __slots__ = ("_reader", "_values")

    def __init__(self, values: AsyncIterator[Any], model: Any) -> None:
        self._values = values
        self._reader = reader_of(model)

    @override
    async def __anext__(self) -> Any:
        return read_model(await anext(self._values), self._reader)
