"""The shared contexts: what they check, and that each is made once."""

import asyncio
import ssl
import threading

import pytest
from wayfare_connector import _tls_context
from wayfare_connector._tls import default_context, get_default_context, unverified_context


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An empty cache, and the names of the threads in which contexts with authorities were made."""
    threads: list[str] = []
    make = ssl.create_default_context

    def create_default_context() -> ssl.SSLContext:
        threads.append(threading.current_thread().name)
        return make()

    monkeypatch.setattr(_tls_context, "_contexts", {})
    monkeypatch.setattr(ssl, "create_default_context", create_default_context)
    return threads


def test_t1_the_default_verifies_certificate_and_host() -> None:
    context = default_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert not context.hostname_checks_common_name
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.protocol is ssl.PROTOCOL_TLS_CLIENT


def test_unverified_still_wants_modern_tls() -> None:
    context = unverified_context()
    assert context.verify_mode is ssl.CERT_NONE
    assert not context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_t6_verified_and_unverified_are_never_the_same() -> None:
    assert unverified_context() is not default_context()
    assert unverified_context() is unverified_context()


def test_t17_made_once_per_alpn(made: list[str]) -> None:
    assert default_context() is default_context(("http/1.1",))
    assert default_context(("h2",)) is not default_context()
    assert len(made) == 2


async def test_t17_made_once_and_not_on_the_loops_thread(made: list[str]) -> None:
    contexts = await asyncio.gather(*(get_default_context() for _ in range(20)))
    assert {id(context) for context in contexts} == {id(default_context())}
    assert made == ["wayfare-certificates"]
    assert await get_default_context() is contexts[0]


async def test_cancelled_while_it_is_made(made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    make = ssl.create_default_context
    gate = threading.Event()

    def held() -> ssl.SSLContext:
        gate.wait()
        return make()

    monkeypatch.setattr(ssl, "create_default_context", held)
    first = asyncio.create_task(get_default_context())
    second = asyncio.create_task(get_default_context())
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await second is default_context()
    assert len(made) == 1


async def test_a_failure_reaches_all_who_wait_and_is_not_kept(
    made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> ssl.SSLContext:
        raise OSError("no certificates")

    with monkeypatch.context() as patch:
        patch.setattr(ssl, "create_default_context", fail)
        outcomes = await asyncio.gather(
            get_default_context(), get_default_context(), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [OSError, OSError]
        with pytest.raises(OSError, match="no certificates"):
            default_context()
    assert await get_default_context() is default_context()
    assert len(made) == 1


async def test_without_a_thread_it_is_made_in_place(
    made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert await get_default_context() is default_context()
    assert made == [threading.current_thread().name]
