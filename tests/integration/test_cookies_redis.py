"""The cookie jar's store in a real Redis server: the suite for stores, jars on several connections, and kills."""

import os
import subprocess
import sys
from collections.abc import Iterator
from secrets import token_hex

import pytest
from redis import Redis
from wayfare_cookies import Change, Cookie, CookieJar, Revision
from wayfare_cookies.redis import RedisStore
from wayfare_cookies.testing import check_store

pytestmark = pytest.mark.needs("redis")

URL_ = "https://www.example.com/"


def url() -> str:
    return os.environ["WAYFARE_REDIS_URL"]


@pytest.fixture
def client() -> Iterator[Redis]:
    with Redis.from_url(url()) as client:
        yield client


@pytest.fixture
def name(client: Redis) -> Iterator[str]:
    """A name of this test's own; its keys are removed at the end."""
    name = f"test-{token_hex(8)}"
    yield name
    for key in client.scan_iter(match=f"{{{name}*"):
        client.delete(key)


def cookie(name: str, *, expires: float | None = None) -> Cookie:
    return Cookie(name=name, value="1", domain="example.com", expires=expires)


def names(store: RedisStore) -> set[str]:
    return {change.identity.name for change in store.changes_since(None).changes}


def test_it_is_a_store(client: Redis, name: str) -> None:
    count = iter(range(100))
    check_store(lambda: RedisStore(client, name=f"{name}-{next(count)}"))


def test_removals_and_expired_cookies_are_forgotten_in_time(client: Redis, name: str) -> None:
    """Without waiting: a change that is older than `forget_after` is forgotten by the very next write."""
    store = RedisStore(client, name=name, forget_after=100.0)
    store.apply([Change(one.identity, one) for one in (cookie("stays"), cookie("a"), cookie("b"))])
    before = store.changes_since(None).revision
    old = cookie("expired", expires=1_000.0)
    store.apply([Change(old.identity, old, 50.0), Change(cookie("a").identity, None, 0.0)])
    assert names(store) == {"stays", "b", "expired"}
    revision = store.changes_since(None).revision
    ancient = cookie("ancient", expires=1_000.0)
    store.apply([Change(ancient.identity, ancient, 200.0)])
    assert names(store) == {"stays", "b", "expired"}
    assert store.changes_since(before).complete
    assert store.changes_since(revision).complete
    assert not store.changes_since(Revision(revision.store, revision.number + 1)).complete
    kept = cookie("expired")
    store.apply([Change(kept.identity, kept)])  # has no end any more
    assert client.zrange(f"{{{name}}}:purges", 0, -1) != []
    assert len(client.zrange(f"{{{name}}}:purges", 0, -1)) == 1


def test_an_emptied_server_gets_the_jar_back(client: Redis, name: str) -> None:
    with RedisStore.from_url(url(), name=name) as store:
        jar = CookieJar(store=store)
        jar.update_cookies({"a": "1"}, URL_)
        jar.sync()
        client.delete(*client.keys(f"{{{name}}}*"))
        jar.update_cookies({"b": "1"}, URL_)
        jar.sync()
        assert names(store) == {"a", "b"}


KILLED = """
import sys
from wayfare_cookies import CookieJar
from wayfare_cookies.redis import RedisStore
jar = CookieJar(store=RedisStore.from_url(sys.argv[1], name=sys.argv[2]))
jar.sync()
step = 0
while True:
    step += 1
    # Two cookies in each change: they are both there, or neither.
    jar.update_cookies({"left": str(step), "right": str(step)}, "https://www.example.com/")
    jar.sync()
    print("told", flush=True)
"""


def test_kill_in_the_middle_of_sync_loses_nothing(name: str) -> None:
    before = 0
    with RedisStore.from_url(url(), name=name) as store:
        for times in range(1, 5):
            process = subprocess.Popen(
                [sys.executable, "-c", KILLED, url(), name], stdout=subprocess.PIPE
            )
            assert process.stdout is not None
            with process.stdout:
                for _ in range(times):
                    assert process.stdout.readline() == b"told\n"
                process.kill()  # as the kernel does it: the next sync is under way
                process.wait()
            found = store.changes_since(None)
            assert found.revision.number >= before + times
            before = found.revision.number
            left, right = (change.cookie for change in found.changes)
            assert left is not None
            assert right is not None
            assert left.value == right.value
