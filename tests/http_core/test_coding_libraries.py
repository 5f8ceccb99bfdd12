"""The libraries of br and zstd: which is taken, and what is said and offered where there is none."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from wayfare_http_core import ContentEncodingError, make_decoder, make_encoder
from wayfare_http_core._brotli import BrotliDecoder
from wayfare_http_core._coding_libraries import brotli_library, zstd_library
from wayfare_http_core._codings import ACCEPT_ENCODING, _offer

BROTLI = ("brotli", "brotlicffi")
ZSTD = ("compression.zstd", "backports.zstd")
SAYS = {
    "br": "the content coding br needs brotli 1.2 or later: pip install wayfare-http-core[brotli]",
    "zstd": "the content coding zstd needs backports.zstd or Python 3.14:"
    " pip install wayfare-http-core[zstd]",
}


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Lets a test hide modules and put others in their place, and forgets what was found before and meanwhile."""
    for found in (brotli_library, zstd_library):
        found.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    for found in (brotli_library, zstd_library):
        found.cache_clear()


def hide(modules: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        modules.setitem(sys.modules, name, None)


def test_all_are_here(modules: pytest.MonkeyPatch) -> None:
    assert ACCEPT_ENCODING == _offer() == "gzip, deflate, br, zstd"
    assert getattr(brotli_library(), "__name__", None) == "brotli"
    assert getattr(zstd_library(), "__name__", None) in ZSTD


def test_brotlicffi_takes_the_place_of_brotli(modules: pytest.MonkeyPatch) -> None:
    hide(modules, "brotli")
    assert getattr(brotli_library(), "__name__", None) == "brotlicffi"
    assert _offer() == "gzip, deflate, br, zstd"
    encoder = make_encoder("br")
    coded = encoder.encode(b"abc") + encoder.sync_flush() + encoder.flush()
    decoder = make_decoder(["br"])
    assert isinstance(decoder, BrotliDecoder)
    assert decoder.decode(coded, 10) == b"abc"


@pytest.mark.parametrize(
    ("hidden", "offer"),
    [
        (BROTLI, "gzip, deflate, zstd"),
        (ZSTD, "gzip, deflate, br"),
        (BROTLI + ZSTD, "gzip, deflate"),
    ],
)
def test_what_is_missing_is_not_offered(
    modules: pytest.MonkeyPatch, hidden: tuple[str, ...], offer: str
) -> None:
    hide(modules, *hidden)
    assert _offer() == offer


@pytest.mark.parametrize("coding", ["br", "zstd"])
def test_what_is_missing_is_named(modules: pytest.MonkeyPatch, coding: str) -> None:
    """Also in a stack; a coding that nobody knows goes first, since no library would help with it."""
    hide(modules, *BROTLI, *ZSTD)
    for codings in ([coding], ["gzip", coding], [coding, "identity", "gzip"]):
        with pytest.raises(ContentEncodingError) as refused:
            make_decoder(codings)
        assert refused.value.message == SAYS[coding]
        assert isinstance(refused.value.__cause__, ModuleNotFoundError)
    assert getattr(make_decoder([coding, "sdch"]), "unknown", None) == ("sdch",)
    with pytest.raises(ModuleNotFoundError) as missing:
        make_encoder(coding)
    assert str(missing.value) == SAYS[coding]


def test_z9_a_brotli_without_limit_counts_as_missing(
    modules: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Z9: versions before 1.2 give whatever a piece decodes to."""
    (tmp_path / "brotli.py").write_text(
        "class Decompressor:\n    def process(self, data):\n        return data\n"
    )
    modules.syspath_prepend(tmp_path)
    modules.delitem(sys.modules, "brotli", raising=False)
    assert getattr(brotli_library(), "__name__", None) == "brotlicffi"
    brotli_library.cache_clear()
    hide(modules, "brotlicffi")
    assert brotli_library() is None


@pytest.mark.parametrize("coding", ["br", "zstd"])
def test_a_directory_is_no_library(
    modules: pytest.MonkeyPatch, tmp_path: Path, coding: str
) -> None:
    """One that has the name of a library, somewhere on the path, is imported as a namespace package."""
    names = BROTLI if coding == "br" else ("compression", *ZSTD, "backports")
    hide(modules, *names)
    for name in names:
        del sys.modules[name]
        (tmp_path / name.replace(".", "/")).mkdir(parents=True, exist_ok=True)
    modules.setattr(sys, "path", [str(tmp_path)])
    assert (brotli_library if coding == "br" else zstd_library)() is None


def test_the_standard_library_goes_first(modules: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`compression.zstd` is in Python from 3.14 on, with the interface of its backport."""
    package = tmp_path / "compression"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "zstd.py").write_text("from backports.zstd import *\n")
    for name in ("compression", "compression.zstd"):
        modules.delitem(sys.modules, name, raising=False)
    modules.syspath_prepend(tmp_path)
    assert getattr(zstd_library(), "__name__", None) == "compression.zstd"


def test_nothing_is_loaded_before_it_is_needed() -> None:
    """Importing the package loads no coding, and offering codings no decoder."""
    program = """
import sys
import wayfare_http_core
libraries = {"zlib", "brotli", "_brotli", "brotlicffi", "backports.zstd", "compression.zstd"}
assert not libraries & sys.modules.keys() - {"zlib"}, libraries & sys.modules.keys()
own = [name for name in sys.modules if name.startswith("wayfare_http_core._")]
assert not [name for name in own if "coding" in name or "encoder" in name], own
wayfare_http_core.ACCEPT_ENCODING
assert "wayfare_http_core._brotli" not in sys.modules
assert "wayfare_http_core._inflate" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_process_without_the_libraries() -> None:
    """In a fresh interpreter that cannot import any of them, everything else works."""
    program = f"""
import sys
for name in {(*BROTLI, *ZSTD)!r}:
    sys.modules[name] = None
import wayfare_http_core as core
assert core.ACCEPT_ENCODING == "gzip, deflate"
encoder = core.make_encoder("gzip")
coded = encoder.encode(b"abc") + encoder.flush()
assert core.make_decoder(["gzip"]).decode(coded, 10) == b"abc"
for coding, says in {SAYS!r}.items():
    try:
        core.make_decoder([coding])
    except core.ContentEncodingError as error:
        assert error.message == says, error
    else:
        raise SystemExit("no error")
"""
    subprocess.run([sys.executable, "-c", program], check=True)
