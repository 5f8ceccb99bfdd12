"""Names that load when they are asked for."""

import pytest
import wayfare_connector
from wayfare_connector import _LAZY, __all__  # type: ignore[attr-defined]  # not for type checkers


@pytest.mark.parametrize("name", sorted(_LAZY))
def test_a_name_loads_its_module(name: str) -> None:
    vars(wayfare_connector).pop(name, None)
    value = getattr(wayfare_connector, name)
    assert name in __all__
    assert vars(wayfare_connector)[name] is value


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        _ = wayfare_connector.Nonsense  # type: ignore[attr-defined]  # what the test is for
