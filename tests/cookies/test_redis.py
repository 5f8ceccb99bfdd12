"""The Redis store's half of the conversation, with a server that answers what it is told.

What the scripts do inside the server is tested with a real one, in tests/integration.
"""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis
from wayfare_cookies import Change, Changes, Cookie, Revision, StoreUnavailableError
from wayfare_cookies.redis import RedisStore

A = Cookie(name="a", value="é", domain="example.com", expires=99.5)
B = Cookie(name="b", value="2", domain="example.com")
KEYS = (b"state", b"records", b"revisions", b"purges")


class ScriptedRedis:
    """Answers EVALSHA with the next of its answers, and everything else with OK; keeps the commands it got."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.commands: list[list[bytes]] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.listener.getsockname()[1]}/0"
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            with connection, connection.makefile("rb") as lines:
                if not self.serve(connection, lines):
                    return

    def serve(self, connection: socket.socket, lines: Any) -> bool:
        while head := lines.readline():
            command = []
            for _ in range(int(head[1:])):
                size = int(lines.readline()[1:])
                command.append(lines.read(size + 2)[:-2])
            if command == [b"STOP"]:
                return False
            if command[0] == b"EVALSHA":
                self.commands.append(command[2:])
                connection.sendall(self.answers.pop(0))
            else:
                connection.sendall(
                    b"+OK\r\n" if command[0] != b"HELLO" else b"-ERR unknown command\r\n"
                )
        return True

    def stop(self) -> None:
        with socket.create_connection(self.listener.getsockname()) as connection:
            connection.sendall(b"*1\r\n$4\r\nSTOP\r\n")
            self.thread.join()
        self.listener.close()


def resp(*values: str | int) -> bytes:
    """An array as the protocol has it."""
    parts = [
        f":{one}\r\n" if isinstance(one, int) else f"${len(one)}\r\n{one}\r\n" for one in values
    ]
    return f"*{len(values)}\r\n{''.join(parts)}".encode()


@pytest.fixture
def server() -> Iterator[ScriptedRedis]:
    server = ScriptedRedis()
    yield server
    server.stop()


@pytest.mark.parametrize("decoding", [False, True])
def test_reading(server: ScriptedRedis, decoding: bool) -> None:
    identity = '["b", "example.com", true, "/", null]'
    text = '{"name": "a", "value": "\\u00e9", "domain": "example.com", "path": "/", "host_only": true, "expires": 99.5}'
    server.answers = [resp("store", 7, 0, "any", text), resp("store", 9, 1, identity, "")]
    with (
        Redis.from_url(server.url, protocol=2, decode_responses=decoding) as client,
        RedisStore(client) as store,
    ):
        everything = store.changes_since(None)
        assert everything == Changes(Revision("store", 7), (Change(A.identity, A),), complete=True)
        changed = store.changes_since(everything.revision)
        assert changed == Changes(Revision("store", 9), (Change(B.identity, None),), complete=False)
    first, second = server.commands
    assert first[:4] == [b"4", *(b"{wayfare-cookies}:" + key for key in KEYS[:3])]
    assert first[-2:] == [b"", b"-1"]
    assert second[-2:] == [b"store", b"7"]


def test_writing(server: ScriptedRedis) -> None:
    server.answers = [b"$-1\r\n"]
    with RedisStore.from_url(server.url + "?protocol=2", name="mine", forget_after=60.0) as store:
        store.apply(
            [Change(A.identity, A, 1.5), Change(B.identity, B), Change(B.identity, None, 2.0)]
        )
    (command,) = server.commands
    assert command[:5] == [b"4", *(b"{mine}:" + key for key in KEYS)]
    assert command[6] == b"60.0"
    changes = [command[at : at + 4] for at in range(7, len(command), 4)]
    assert [change[1:3] for change in changes] == [[b"1.5", b"99.5"], [b"0.0", b""], [b"2.0", b""]]
    assert changes[0][0] == b'["a", "example.com", true, "/", null]'
    assert [bool(change[3]) for change in changes] == [True, True, False]


def test_a_server_that_refuses_is_away(server: ScriptedRedis) -> None:
    server.answers = [
        b"-READONLY You can't write against a read only replica.\r\n",
        resp("store", 1, 0, "x", "{"),
    ]
    with RedisStore.from_url(server.url + "?protocol=2") as store:
        with pytest.raises(StoreUnavailableError, match="read only"):
            store.apply([Change(B.identity, B)])
        with pytest.raises(StoreUnavailableError, match="cannot be read"):
            store.changes_since(None)


def test_a_server_that_is_not_there_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with RedisStore.from_url(f"redis://127.0.0.1:{port}/0") as store:
        with pytest.raises(StoreUnavailableError, match="Redis"):
            store.changes_since(None)
        with pytest.raises(StoreUnavailableError, match="Redis"):
            store.apply([])
