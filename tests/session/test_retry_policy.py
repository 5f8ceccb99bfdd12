"""What `RetryMiddleware` may repeat and how long it waits, without a server: rule O13."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import wayfare
from wayfare import RetryPolicy
from wayfare._origin import Origin
from wayfare._reconnecting import may_reconnect
from wayfare._retry_middleware import RetryBudget
from wayfare._retry_policy import is_hopeless, may_be_repeated, pause
from wayfare_http_core import RequestFailure, parse_retry_after

USUAL = RetryPolicy()
IDEMPOTENT = ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE")


@pytest.mark.parametrize("method", [*IDEMPOTENT, "POST", "PATCH", "LOCK", "get"])
def test_o13_what_may_be_sent_twice(method: str) -> None:
    """O13: only idempotent methods, or what is allowed in so many words, or what was never sent."""
    may = method in IDEMPOTENT
    unsent = RequestFailure(method, (), "connecting")
    begun = unsent._replace(request_started=True)
    assert may_be_repeated(USUAL, method, None, has_key=False) is may
    assert may_be_repeated(USUAL, method, begun, has_key=False) is may
    assert may_be_repeated(USUAL, method, unsent, has_key=False)
    assert may_be_repeated(USUAL, method, begun, has_key=True)
    allowing = RetryPolicy(methods=frozenset({method}))
    assert may_be_repeated(allowing, method, begun, has_key=False)


def test_o13_pauses_double_up_to_a_cap_and_are_drawn_whole() -> None:
    """O13: full jitter, anything from nothing to the most."""
    policy = RetryPolicy(backoff=0.5, max_backoff=5.0)
    assert [pause(policy, n, 1.0, None) for n in range(1, 7)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    assert [pause(policy, n, 0.25, None) for n in (1, 2, 5)] == [0.125, 0.25, 1.25]
    assert pause(policy, 3, 0.0, None) == 0.0
    assert pause(policy, 10**6, 1.0, None) == 5.0
    assert pause(RetryPolicy(backoff=0, max_backoff=0), 10**6, 1.0, None) == 0.0


def test_o13_a_retry_after_is_the_least_and_has_a_cap() -> None:
    policy = RetryPolicy(backoff=2.0)
    assert pause(policy, 1, 1.0, 7.0) == 7.0
    assert pause(policy, 1, 1.0, 0.0) == 2.0
    assert pause(policy, 1, 0.0, 0.0) == 0.0
    assert pause(policy, 1, 0.0, 86_400.0) == 3600.0
    assert pause(RetryPolicy(max_retry_after=10), 1, 0.0, 86_400.0) == 10.0


@pytest.mark.parametrize("value", ["-1", "1.5", "soon", "", "Wed, 99 Foo 2026 00:00:00 GMT"])
def test_o13_garbage_is_ignored(value: str) -> None:
    asked = parse_retry_after(value, now=datetime.now(UTC), cap=None)
    assert pause(USUAL, 1, 0.0, asked) == 0.0


def test_all_that_repeats_goes_by_the_same_statuses() -> None:
    """Retries and what connects again: downloads, event sources, WebSockets."""
    assert frozenset({408, 429, 500, 502, 503, 504}) == USUAL.statuses
    for status in range(400, 600):
        error = wayfare.ClientResponseError(None, (), status=status)
        assert may_reconnect(error) is (status in wayfare.RETRY_STATUSES)


def test_what_would_only_come_again_is_not_repeated() -> None:
    assert is_hopeless(wayfare.ConnectorClosedError("closed"))
    assert is_hopeless(wayfare.TotalTimeoutError(1.0))
    assert not is_hopeless(wayfare.ServerDisconnectedError())
    assert not is_hopeless(wayfare.ClientConnectionError())


@pytest.mark.parametrize(
    ("error", "given"),
    [
        ("attempts must be at least 1, not 0", {"attempts": 0}),
        ("attempts must be an int, not float", {"attempts": 2.0}),
        ("attempts must be an int, not bool", {"attempts": True}),
        ("reserve must be at least 1, not -1", {"reserve": -1}),
        ("backoff must be a number from 0, not -1", {"backoff": -1}),
        ("max_backoff must be a number from 0, not nan", {"max_backoff": float("nan")}),
        ("max_retry_after must be a number, not NoneType", {"max_retry_after": None}),
        ("budget must be a number from 0, not inf", {"budget": float("inf")}),
        ("budget must be a number, not str", {"budget": "1"}),
        ("exceptions must be subclasses", {"exceptions": [BaseException]}),
        ("exceptions must be subclasses", {"exceptions": [1]}),
    ],
)
def test_policies_that_make_no_sense(error: str, given: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError), match=error):
        RetryPolicy(**given)


def test_any_collection_will_do() -> None:
    made: Callable[..., RetryPolicy] = RetryPolicy
    policy = made(statuses=[500, 503], methods=["POST"], exceptions=[OSError])
    assert policy.statuses == {500, 503}
    assert policy.methods == {"POST"}
    assert policy.exceptions == (OSError,)
    assert RetryPolicy(budget=None).budget is None


# -- the budget ------------------------------------------------------------------------------------------------------


def test_o13_a_budget_is_used_up_and_earned_again() -> None:
    budget = RetryBudget(0.25, 2)
    here, there = Origin(False, "h", 80), Origin(False, "i", 80)
    assert [budget.take(here) for _ in range(3)] == [True, True, False]
    assert budget.take(there)
    for _ in range(3):
        budget.add(here)
    assert not budget.take(here)
    budget.add(here)
    assert [budget.take(here) for _ in range(2)] == [True, False]


def test_only_origins_in_need_are_remembered_and_not_too_many() -> None:
    budget = RetryBudget(0.5, 1)
    origins = [Origin(False, f"h{number}", 80) for number in range(2000)]
    for origin in origins:
        budget.add(origin)
    assert len(budget._left) == 0
    for origin in origins:
        assert budget.take(origin)
    assert len(budget._left) == 1024
    budget.add(origins[-1])
    budget.add(origins[-1])
    assert len(budget._left) == 1023
    assert budget.take(origins[0])
    assert not budget.take(origins[0])
