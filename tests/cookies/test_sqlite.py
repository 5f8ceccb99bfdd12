"""The SQLite store: what the suite for stores does not ask of every store."""

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from wayfare_cookies import Change, Cookie, CookieJar, Revision, StoreUnavailableError
from wayfare_cookies.sqlite import SQLiteStore

URL_ = "https://www.example.com/"


def cookie(name: str, *, expires: float | None = None) -> Cookie:
    return Cookie(name=name, value="1", domain="example.com", expires=expires)


def put(store: SQLiteStore, one: Cookie, age: float = 0.0) -> None:
    store.apply([Change(one.identity, one, age)])


def names(store: SQLiteStore) -> set[str]:
    return {change.identity.name for change in store.changes_since(None).changes}


def test_the_file_is_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "cookies.sqlite"
    with SQLiteStore(path) as store:
        put(store, cookie("a"))
        if os.name == "posix":
            assert {one.stat().st_mode & 0o777 for one in tmp_path.iterdir()} == {0o600}
        with sqlite3.connect(path) as raw:
            assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        raw.close()


def test_a_closed_store_opens_again(tmp_path: Path) -> None:
    store = SQLiteStore(str(tmp_path / "cookies.sqlite"))
    store.close()
    put(store, cookie("a"))
    store.close()
    assert names(store) == {"a"}
    store.close()


def test_removals_and_expired_cookies_are_forgotten_in_time(tmp_path: Path) -> None:
    now = [1_000.0]
    with SQLiteStore(tmp_path / "c.sqlite", forget_after=10.0, clock=lambda: now[0]) as store:
        put(store, cookie("stays"))
        put(store, cookie("expires", expires=1_005.0))
        put(store, cookie("removed"))
        store.apply([Change(cookie("removed").identity, None)])
        revision = store.changes_since(None).revision
        now[0] = 1_014.0
        put(store, cookie("b"))
        assert not store.changes_since(revision).complete
        assert names(store) == {"stays", "expires", "b"}
        now[0] = 1_015.0
        put(store, cookie("c"))
        assert names(store) == {"stays", "b", "c"}
        assert not store.changes_since(revision).complete  # it knew of the removal when it was made
        old = Revision(revision.store, revision.number - 1)
        assert store.changes_since(old).complete


def test_the_stores_clock_never_goes_back(tmp_path: Path) -> None:
    """C27: a write after the machine's clock was set back is still the later one."""
    now = [2_000.0]
    with SQLiteStore(tmp_path / "c.sqlite", clock=lambda: now[0]) as store:
        put(store, cookie("a"))
        now[0] = 1_000.0
        store.apply([Change(cookie("a").identity, None)])
        assert names(store) == set()


def test_a_file_put_back_from_a_copy_loses_nothing(tmp_path: Path) -> None:
    path, copy = tmp_path / "c.sqlite", tmp_path / "copy.sqlite"
    with SQLiteStore(path) as store:
        jar = CookieJar(store=store)
        jar.update_cookies({"a": "1"}, URL_)
        jar.sync()
        with sqlite3.connect(path) as raw:
            raw.execute("VACUUM INTO ?", (str(copy),))
        raw.close()
        jar.update_cookies({"b": "1"}, URL_)
        jar.sync()
        store.close()
        for left in tmp_path.glob("c.sqlite*"):
            left.unlink()
        copy.rename(path)
        jar.sync()
        assert {one.name for one in jar} == {"a", "b"}
        assert names(store) == {"a", "b"}


@pytest.mark.parametrize("content", [b"this is no database, however long it may be" * 50, b""])
def test_a_file_that_is_no_store(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.sqlite"
    path.write_bytes(content)
    store = SQLiteStore(path)
    if content:
        with pytest.raises(StoreUnavailableError, match="not a database"):
            store.changes_since(None)
        with pytest.raises(StoreUnavailableError):
            store.apply([])
        assert path.read_bytes() == content
    else:
        assert store.changes_since(None).complete
    store.close()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="No such file"):
        SQLiteStore(tmp_path / "none" / "c.sqlite").apply([])


def test_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA user_version = 7")
    raw.close()
    with pytest.raises(StoreUnavailableError, match="version 7"):
        SQLiteStore(path).changes_since(None)


@pytest.mark.parametrize("record", ["{", "[]", '{"name": "a"}'])
def test_a_record_that_nobody_can_read(tmp_path: Path, record: str) -> None:
    path = tmp_path / "c.sqlite"
    with SQLiteStore(path) as store:
        put(store, cookie("a"))
        with sqlite3.connect(path) as raw:
            raw.execute("UPDATE cookies SET cookie = ?", (record,))
        raw.close()
        with pytest.raises(StoreUnavailableError, match="cannot be read"):
            store.changes_since(None)


def test_a_store_that_another_process_holds_is_away(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    with SQLiteStore(path, timeout=0.0) as store:
        put(store, cookie("a"))
        raw = sqlite3.connect(path, isolation_level=None)
        raw.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match="locked"):
            put(store, cookie("b"))
        raw.execute("ROLLBACK")
        raw.close()
        put(store, cookie("b"))
        assert names(store) == {"a", "b"}


def test_two_who_open_a_new_file_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only one can make its journal a WAL; the other finds the file locked, and tries again."""
    path = tmp_path / "c.sqlite"
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailableError, match="locked"):
        SQLiteStore(path, timeout=0.0).changes_since(None)
    monkeypatch.setattr("wayfare_cookies.sqlite.sleep", lambda seconds: raw.execute("ROLLBACK"))
    with SQLiteStore(path, timeout=0.1) as store:
        monkeypatch.setattr("wayfare_cookies.sqlite.monotonic", lambda: 0.0)
        put(store, cookie("a"))
        assert names(store) == {"a"}
    raw.close()


def test_a_change_that_fails_half_way_changes_nothing(tmp_path: Path) -> None:
    with SQLiteStore(tmp_path / "c.sqlite") as store:
        put(store, cookie("a"))
        broken = Change(cookie("c").identity, cookie("c"), age="soon")  # type: ignore[arg-type]  # the failure
        with pytest.raises(TypeError):
            store.apply([Change(cookie("b").identity, cookie("b")), broken])
        assert names(store) == {"a"}


def test_threads_share_a_store_and_a_jar(tmp_path: Path) -> None:
    with SQLiteStore(tmp_path / "c.sqlite") as store:
        jar = CookieJar(store=store)
        errors: list[BaseException] = []

        def run(number: int) -> None:
            try:
                for step in range(10):
                    jar.update_cookies({f"n{number}-{step}": "1"}, URL_)
                    jar.sync()
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        jar.sync()
        assert errors == []
        assert len(names(store)) == len(jar) == 40


WRITER = """
import sys
from wayfare_cookies import CookieJar
from wayfare_cookies.sqlite import SQLiteStore
with SQLiteStore(sys.argv[1], timeout=60) as store:
    jar = CookieJar(store=store)
    for step in range(10):
        jar.update_cookies({f"n{sys.argv[2]}-{step}": "1"}, "https://www.example.com/")
        jar.sync()
"""


def test_processes_share_a_store_from_its_first_moment(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number)])
        for number in range(4)
    ]
    assert [process.wait() for process in processes] == [0, 0, 0, 0]
    with SQLiteStore(path) as store:
        assert len(names(store)) == 40


KILLED = """
import sys
from wayfare_cookies import CookieJar
from wayfare_cookies.sqlite import SQLiteStore
jar = CookieJar(store=SQLiteStore(sys.argv[1]))
jar.sync()
step = 0
while True:
    step += 1
    # Two cookies in each change: they are both there, or neither.
    jar.update_cookies({"left": str(step), "right": str(step)}, "https://www.example.com/")
    jar.sync()
    print("told", flush=True)
"""


def test_kill_in_the_middle_of_sync_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    before = 0
    for times in range(1, 5):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        with process.stdout:
            for _ in range(times):
                assert process.stdout.readline() == b"told\n"
            process.kill()  # as the kernel does it: the next sync is under way
            process.wait()
        with SQLiteStore(path) as store:
            found = store.changes_since(None)
        assert found.revision.number >= before + times
        before = found.revision.number
        left, right = (change.cookie for change in found.changes)
        assert left is not None
        assert right is not None
        assert left.value == right.value


def test_a_fork_opens_its_own_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the child of a fork sees: another process id, and a connection that it must not touch."""
    store = SQLiteStore(tmp_path / "c.sqlite")
    put(store, cookie("a"))
    parent = store._connection
    assert parent is not None
    with monkeypatch.context() as patch:
        patch.setattr("os.getpid", lambda: -1)
        store.close()  # not the parent's connection
        store._connection = parent
        put(store, cookie("b"))
        assert store._connection is not parent
        store.close()
    assert parent.execute("SELECT count(*) FROM cookies").fetchone() == (2,)
    parent.close()


@pytest.mark.parametrize("first", [0, 1])
def test_a_file_that_was_removed_is_made_again_and_gets_everything(
    tmp_path: Path, first: int
) -> None:
    """Nobody may go on with a file that the others do not see, whoever makes the new one."""
    path = tmp_path / "c.sqlite"
    with SQLiteStore(path) as one, SQLiteStore(path) as two:
        jars = CookieJar(store=one), CookieJar(store=two)
        jars[0].update_cookies({"a": "1"}, URL_)
        for jar in jars:
            jar.sync()
        for left in tmp_path.iterdir():
            left.unlink()
        jars[first].update_cookies({"b": "1"}, URL_)
        jars[first].sync()
        jars[1 - first].update_cookies({"c": "1"}, URL_)
        for jar in (jars[1 - first], jars[first]):
            jar.sync()
            assert {cookie.name for cookie in jar} == {"a", "b", "c"}
    with SQLiteStore(path) as store:
        assert names(store) == {"a", "b", "c"}
