"""A cookie store in an SQLite file: for the processes of one machine, with nothing to install."""

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from threading import Lock
from time import monotonic, sleep, time
from types import TracebackType
from typing import Self, final

from ._errors import StoreUnavailableError
from ._records import FORGET_AFTER, purge_time, read_change, write_cookie, write_identity
from ._store import Change, Changes, CookieStore, Revision

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("SQLiteStore",)

_VERSION = 1
"""The file's `user_version`."""

_PAUSE = 0.01
"""Seconds between two tries to be the first who opens a file."""

_SCHEMA = (
    "CREATE TABLE state (store TEXT, revision INTEGER, forgotten INTEGER, clock REAL)",
    "CREATE TABLE cookies (identity TEXT PRIMARY KEY, revision INTEGER NOT NULL, stamp REAL NOT NULL,"
    " purge REAL, cookie TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX by_revision ON cookies (revision)",
    "CREATE INDEX by_purge ON cookies (purge)",
    f"PRAGMA user_version = {_VERSION}",
)
_UPSERT = (
    "INSERT INTO cookies (identity, revision, stamp, purge, cookie) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (identity) DO UPDATE SET revision = excluded.revision, stamp = excluded.stamp,"
    " purge = excluded.purge, cookie = excluded.cookie WHERE excluded.stamp >= cookies.stamp"
)


@final
class SQLiteStore(CookieStore):
    """Cookies in one SQLite file (WAL, mode 0600), safe for several threads and several processes, forks included.

    path: the file; it is made when it is first used. Not on a network file system, where WAL does not work.
    timeout: seconds to wait for another process's write before the store counts as away.
    forget_after: seconds for which removals are remembered.
    clock: seconds since 1970; the store's clock is this machine's, and never goes back.

    Each `apply` is one transaction that reaches the disk: a process that is killed, or a machine that loses power,
    leaves all of it or nothing.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        timeout: float = 5.0,
        forget_after: float = FORGET_AFTER,
        clock: Callable[[], float] = time,
    ) -> None:
        self._path = Path(path)
        self._timeout = timeout
        self._forget_after = forget_after
        self._clock = clock
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._process = os.getpid()
        self._inherited: list[sqlite3.Connection | None] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a later call of another method opens it again."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None

    @override
    def changes_since(self, revision: Revision | None) -> Changes:
        with self._transaction() as database:
            store, number, forgotten, _ = database.execute("SELECT * FROM state").fetchone()
            if revision is not None and revision.store == store and revision.number > number:
                # The file was put back from a copy: what its readers know is not in it, so it is another store now.
                store = token_hex(8)
                database.execute("UPDATE state SET store = ?", (store,))
            known = (
                revision is not None and revision.store == store and revision.number >= forgotten
            )
            since = revision.number if revision is not None and known else -1
            rows = database.execute(
                "SELECT identity, cookie FROM cookies WHERE revision > ? AND (? OR cookie != '')",
                (since, known),
            ).fetchall()
        changes = tuple(read_change(identity, cookie) for identity, cookie in rows)
        return Changes(Revision(store, number), changes, complete=not known)

    @override
    def apply(self, changes: Sequence[Change]) -> None:
        with self._transaction() as database:
            (revision, clock) = database.execute("SELECT revision, clock FROM state").fetchone()
            now = max(clock, self._clock())
            revision += 1
            database.executemany(
                _UPSERT, [self._row(change, revision, now - change.age) for change in changes]
            )
            (forgotten,) = database.execute(
                "SELECT max(revision) FROM cookies WHERE purge <= ?", (now,)
            ).fetchone()
            database.execute("DELETE FROM cookies WHERE purge <= ?", (now,))
            database.execute(
                "UPDATE state SET revision = ?, clock = ?, forgotten = max(forgotten, ?)",
                (revision, now, forgotten or 0),
            )

    def _row(
        self, change: Change, revision: int, stamp: float
    ) -> tuple[str, int, float, float | None, str]:
        purge = purge_time(change, stamp, self._forget_after)
        return (
            write_identity(change.identity),
            revision,
            stamp,
            purge,
            write_cookie(change.cookie),
        )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that may write. Readers take the writers' lock too: they are rare, and may have to rename."""
        with self._lock:
            try:
                database = self._open()
                database.execute("BEGIN IMMEDIATE")
                try:
                    yield database
                    database.execute("COMMIT")
                except BaseException:
                    with suppress(sqlite3.Error):
                        database.execute("ROLLBACK")
                    raise
            except (sqlite3.Error, OSError) as error:
                raise StoreUnavailableError(f"the cookie store {self._path}: {error}") from error

    def _open(self) -> sqlite3.Connection:
        """The connection of this process. The lock is held."""
        if self._process != os.getpid():
            # A connection must not be used on the other side of a fork, nor closed there: it is kept, and left alone.
            self._inherited.append(self._connection)
            self._connection = None
            self._process = os.getpid()
        if self._connection is not None and self._file != _file_at(self._path):
            # Removed, or another one was put in its place. SQLite would go on with the old one, which nobody else
            # has: what was written would be lost.
            self._connection.close()
            self._connection = None
        if self._connection is None:
            # SQLite gives its own files (-wal, -shm) the mode of this one.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            database = sqlite3.connect(
                self._path, timeout=self._timeout, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(database)
            except BaseException:
                database.close()
                raise
            self._connection = database
            self._file = _file_at(self._path)
        return self._connection

    def _prepare(self, database: sqlite3.Connection) -> None:
        """Make the tables, if this is the first who opens the file."""
        self._switch_to_wal(database)
        database.execute("PRAGMA synchronous = FULL")
        database.execute("BEGIN IMMEDIATE")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            raise sqlite3.DatabaseError(f"version {version} of the file is unknown here")
        if version == 0:
            for statement in _SCHEMA:
                database.execute(statement)
            database.execute("INSERT INTO state VALUES (?, 0, 0, 0)", (token_hex(8),))
        database.execute("COMMIT")

    def _switch_to_wal(self, database: sqlite3.Connection) -> None:
        """Make the file's journal a WAL, as the first who opens it does.

        SQLite does not always wait for another process that is doing the same: trying again does.
        """
        deadline = monotonic() + self._timeout
        while True:
            try:
                database.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if monotonic() >= deadline:
                    raise
                sleep(_PAUSE)


def _file_at(path: Path) -> tuple[int, int] | None:
    """What makes a file the same file, or None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
