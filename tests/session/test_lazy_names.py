"""Names that load when they are asked for."""

import subprocess
import sys

import pytest
import wayfare

LAZY: dict[str, str] = vars(wayfare)["_LAZY"]


@pytest.mark.parametrize("name", sorted(LAZY))
def test_a_lazy_name_is_the_same_object(name: str) -> None:
    vars(wayfare).pop(name, None)
    assert getattr(wayfare, name) is getattr(sys.modules[LAZY[name]], name)
    assert name in vars(wayfare)
    assert name in wayfare.__all__


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'wayfare' has no attribute 'Nonsense'"):
        _ = wayfare.Nonsense  # type: ignore[attr-defined]  # what the test is for


def test_what_loads_late_is_not_imported_early() -> None:
    """The import time depends on it."""
    program = (
        "import sys, wayfare; late = {'json', 'zlib', 'wayfare_http_core._basic_auth', "
        "'wayfare_http_core._media_type', 'wayfare_connector._tls_layer', 'aiosignal', "
        "'wayfare._tracing', 'wayfare._tracing_config', 'wayfare._tracing_params', "
        "'wayfare._event_parser', 'wayfare._event_stream', 'wayfare._event_source', 'wayfare._reconnecting', "
        "'wayfare._json_models', 'wayfare._json_scalars', 'wayfare._json_lines', 'dataclasses', "
        "'wayfare._download', 'wayfare._downloads', 'wayfare._download_options', 'hashlib', "
        "'wayfare._upgrade', 'wayfare._upgraded_stream', "
        "'wayfare._connect_trace', 'wayfare._connection_info', "
        "'concurrent.futures.thread'}; print(sorted(late & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
