"""A file on its way to its place: what is kept of it, who may write it, and what is left behind."""

import errno
import json
import os
import resource
import sys
from pathlib import Path

import pytest
from wayfare import _partial_file
from wayfare._partial_file import Origin, PartialFile, read_checksum

ORIGIN = Origin("digest", '"tag"', 10)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the file is to be."""
    return tmp_path / "name.bin"


def begun(target: Path, content: bytes = b"01234") -> PartialFile:
    file = PartialFile(target, kept=True)
    assert file.open() == (None, 0)
    file.begin(ORIGIN)
    file.write(0, [content])
    return file


def names(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def test_a_file_has_its_name_when_it_is_finished(target: Path) -> None:
    target.write_bytes(b"old")
    file = begun(target)
    assert target.read_bytes() == b"old"
    file.write(5, [b"56", b"789"])
    assert file.read(4, 3) == b"456"
    assert file.read(10, 3) == b""
    file.finish(True)
    file.close()
    assert target.read_bytes() == b"0123456789"
    assert names(target) == ["name.bin"]


def test_what_was_begun_is_there_the_next_time(target: Path) -> None:
    begun(target).close()
    assert names(target) == ["name.bin.part", "name.bin.part.json"]
    file = PartialFile(target, kept=True)
    assert file.open() == (ORIGIN, 5)
    file.close()
    assert names(target) == ["name.bin.part", "name.bin.part.json"]


def test_what_is_begun_anew_has_nothing_of_before(target: Path) -> None:
    begun(target).close()
    file = PartialFile(target, kept=True)
    file.open()
    file.begin(None)
    assert names(target) == ["name.bin.part"]
    file.write(0, [b"x"])
    file.close()
    assert names(target) == []


def test_nothing_is_kept_of_nothing(target: Path) -> None:
    begun(target, b"").close()
    assert names(target) == []


def test_what_is_given_up_is_removed(target: Path) -> None:
    file = begun(target)
    file.give_up()
    file.close()
    file.close()
    assert names(target) == []


def test_a_file_that_is_not_kept_has_a_name_of_its_own(target: Path) -> None:
    one, two = PartialFile(target, kept=False), PartialFile(target, kept=False)
    for file in (one, two):
        assert file.open() == (None, 0)
        file.begin(ORIGIN)
        file.write(0, [b"x"])
    assert len(names(target)) == 2
    assert all(name.startswith(".name.bin.") for name in names(target))
    one.finish(False)
    two.close()
    assert names(target) == ["name.bin"]


@pytest.mark.parametrize(
    "mark",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"\xff",
        b"[" * 100_000,
        json.dumps({"url": "u", "validator": "v"}).encode(),
        json.dumps({"url": 1, "validator": "v", "length": 1}).encode(),
        json.dumps({"url": "u", "validator": None, "length": 1}).encode(),
        json.dumps({"url": "u", "validator": "v", "length": "1"}).encode(),
        json.dumps({"url": "u" * 100_000, "validator": "v", "length": 1}).encode(),
    ],
)
def test_a_mark_that_says_nothing_begins_anew(target: Path, mark: bytes) -> None:
    begun(target).close()
    target.with_name("name.bin.part.json").write_bytes(mark)
    file = PartialFile(target, kept=True)
    assert file.open() == (None, 0)
    file.close()
    assert names(target) == []


def test_a_part_without_a_mark_begins_anew(target: Path) -> None:
    target.with_name("name.bin.part").write_bytes(b"whose?")
    file = PartialFile(target, kept=True)
    assert file.open() == (None, 0)
    file.close()


def test_only_one_at_a_time(target: Path) -> None:
    first = begun(target)
    second = PartialFile(target, kept=True)
    with pytest.raises(FileExistsError, match="another download writes this file"):
        second.open()
    second.close()
    first.close()
    assert second.open() == (ORIGIN, 5)
    second.close()


def test_the_file_that_another_finished_in_between_is_not_touched(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened as a part, locked as the finished file: its name went to another file meanwhile."""
    first, second = begun(target), PartialFile(target, kept=True)
    lock = vars(_partial_file)["_lock_file"]

    def finish_first(file: object, path: Path) -> None:
        monkeypatch.setattr(_partial_file, "_lock_file", lock)
        first.finish(False)
        lock(file, path)

    monkeypatch.setattr(_partial_file, "_lock_file", finish_first)
    assert second.open() == (None, 0)
    second.begin(None)
    second.write(0, [b"x"])
    second.close()
    assert target.read_bytes() == b"01234"
    assert names(target) == ["name.bin"]


def test_a_part_that_somebody_removed_is_not_missed(target: Path) -> None:
    file = begun(target)
    file.give_up()
    file.path.unlink()
    file.close()
    assert names(target) == ["name.bin.part.json"]


def test_a_link_is_not_followed(target: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    target.with_name("name.bin.part").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links") as caught:
        PartialFile(target, kept=True).open()
    assert caught.value.errno == errno.ELOOP
    assert victim.read_bytes() == b"precious"


@pytest.mark.parametrize("kept", [True, False])
def test_places_where_no_file_can_be(target: Path, kept: bool) -> None:
    target.mkdir()
    with pytest.raises(IsADirectoryError, match="needs the name of a file") as caught:
        PartialFile(target, kept=kept).open()
    assert caught.value.filename == str(target)
    with pytest.raises(FileNotFoundError):
        PartialFile(target / "none" / "x", kept=kept).open()
    (target / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        PartialFile(target / "file" / "x", kept=kept).open()


def test_after_a_write_that_failed_nothing_is_written(target: Path) -> None:
    """There would be a hole in the file, and it would pass for content."""
    file = begun(target, b"0" * 1000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, hard))
    try:
        with pytest.raises(OSError, match="too large") as caught:
            file.write(1000, [b"1" * 1000])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.filename == str(file.path)
    with pytest.raises(OSError, match="too large"):
        file.write(2000, [b"2"])
    file.close()
    assert target.with_name("name.bin.part").read_bytes() == b"0" * 1000 + b"1" * 500


def test_a_closed_file_takes_nothing(target: Path) -> None:
    file = begun(target)
    file.close()
    with pytest.raises(ValueError, match="the file is closed"):
        file.write(0, [b"x"])


def test_a_name_that_cannot_be_given(target: Path) -> None:
    file = begun(target)
    target.mkdir()
    with pytest.raises(IsADirectoryError):
        file.finish(False)
    file.close()
    assert names(target) == ["name.bin", "name.bin.part", "name.bin.part.json"]


def test_systems_without_locks(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    file, other = begun(target), PartialFile(target, kept=True)
    assert other.open() == (ORIGIN, 5)
    other.close()
    file.close()


def test_file_systems_without_locks(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = sys.modules["fcntl"]

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    begun(target).close()


def test_systems_where_what_is_open_cannot_be_moved(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_partial_file, "_WINDOWS", True)
    file = begun(target)
    file.finish(True)
    file.close()
    assert names(target) == ["name.bin"]
    file = begun(target)
    file.give_up()
    file.close()
    assert names(target) == ["name.bin"]


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize(("old", "new"), [(0o600, 0o600), (0o640, 0o640), (0o444, 0o644)])
def test_what_is_replaced_keeps_its_mode_and_the_part_has_it_already(
    target: Path, kept: bool, old: int, new: int
) -> None:
    target.write_bytes(b"")
    target.chmod(old)
    file = PartialFile(target, kept=kept)
    file.open()
    assert os.stat(file.path).st_mode & 0o777 == new
    file.finish(False)
    assert os.stat(target).st_mode & 0o777 == new


def test_systems_without_modes(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target.write_bytes(b"")
    monkeypatch.delattr(os, "fchmod")
    begun(target).close()


@pytest.mark.parametrize("kept", [True, False])
def test_a_pipe_or_a_device_is_not_replaced(target: Path, kept: bool) -> None:
    os.mkfifo(target)
    with pytest.raises(FileExistsError, match="replaces files alone") as caught:
        PartialFile(target, kept=kept).open()
    assert caught.value.filename == str(target)
    assert names(target) == ["name.bin"]


def test_a_part_that_is_no_file_is_left_alone(target: Path) -> None:
    os.mkfifo(target.with_name("name.bin.part"))
    with pytest.raises(FileExistsError, match="what is there is no file"):
        PartialFile(target, kept=True).open()
    assert names(target) == ["name.bin.part"]


def test_the_mode_is_that_of_any_new_file(target: Path) -> None:
    file = begun(target)
    file.finish(False)
    other = target.with_name("other")
    other.write_bytes(b"")
    assert os.stat(target).st_mode == os.stat(other).st_mode


@pytest.mark.parametrize(
    ("checksum", "sha256", "found"),
    [
        (None, None, None),
        (None, "AB" * 32, ("sha256", "ab" * 32)),
        (("MD5", "0F" * 16), None, ("md5", "0f" * 16)),
        (("blake2b", "0" * 128), None, ("blake2b", "0" * 128)),
    ],
)
def test_checksums(
    checksum: tuple[str, str] | None, sha256: str | None, found: tuple[str, str] | None
) -> None:
    assert read_checksum(checksum, sha256) == found


@pytest.mark.parametrize(
    ("checksum", "sha256", "error", "text"),
    [
        (("md5", "0" * 32), "0" * 64, ValueError, "not both"),
        ("sha256", None, TypeError, "must be"),
        (("sha256",), None, TypeError, "must be"),
        (("nonsense", "00"), None, ValueError, "no algorithm is called 'nonsense'"),
        (("shake_128", "00"), None, ValueError, "shake_128 has no fixed length"),
        (None, "0" * 63, ValueError, "sha256 is 64 hex digits"),
        (None, "g" * 64, ValueError, "sha256 is 64 hex digits"),
        (None, "\u0660" * 64, ValueError, "sha256 is 64 hex digits"),
    ],
)
def test_what_is_no_checksum(
    checksum: tuple[str, str] | None, sha256: str | None, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        read_checksum(checksum, sha256)
