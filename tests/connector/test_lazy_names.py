"""Names that load when they are asked for."""

import pytest
import wayfare_connector
from wayfare_connector import _tls


@pytest.mark.parametrize("name", sorted(set(_tls.__all__) & set(wayfare_connector.__all__)))
def test_names_of_the_tls_stage(name: str) -> None:
    vars(wayfare_connector).pop(name, None)
    assert getattr(wayfare_connector, name) is getattr(_tls, name)


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        _ = wayfare_connector.Nonsense  # type: ignore[attr-defined]  # what the test is for
