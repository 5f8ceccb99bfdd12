"""`ChainMapProxy`."""

from types import MappingProxyType

import pytest
import wayfare


def test_the_first_that_knows_a_key_says_its_value() -> None:
    near: dict[str, int] = {"a": 1, "b": 2}
    far = {"b": 20, "c": 30}
    chain = wayfare.ChainMapProxy([near, MappingProxyType(far)])
    assert dict(chain) == {"a": 1, "b": 2, "c": 30}
    assert list(chain) == ["a", "b", "c"]
    assert (len(chain), "c" in chain, "d" in chain) == (3, True, False)
    assert (chain.get("b"), chain.get("d"), chain.get("d", 0)) == (2, None, 0)
    with pytest.raises(KeyError, match="d"):
        chain["d"]
    del near["b"]
    assert chain["b"] == 20
    assert repr(chain) == "ChainMapProxy({'a': 1}, mappingproxy({'b': 20, 'c': 30}))"


def test_it_is_read_only_and_compares_as_a_mapping() -> None:
    chain = wayfare.ChainMapProxy([{"a": 1}])
    assert chain == {"a": 1}
    assert not hasattr(chain, "__setitem__")
    assert not wayfare.ChainMapProxy([{}, {}])
    assert wayfare.ChainMapProxy([{}, {"a": 1}])
    assert not wayfare.ChainMapProxy([])
