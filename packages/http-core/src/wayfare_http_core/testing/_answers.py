"""Which answer a request gets."""

from collections.abc import Mapping, Sequence
from typing import final

from ._actions import Action, Answer
from ._replies import Reply
from ._request_rules import ReceivedRequest

__all__ = ("InTurn", "actions_for")


@final
class InTurn:
    """Gives the first answer to the first request that it is asked about, and so on; the last one again and again."""

    __slots__ = ("_answers", "_asked")

    def __init__(self, *answers: Answer) -> None:
        if not answers:
            raise ValueError("no answer is given")
        self._answers = answers
        self._asked = 0

    def __call__(self, request: ReceivedRequest) -> Answer:
        """The next answer, whatever the request is."""
        answer = self._answers[min(self._asked, len(self._answers) - 1)]
        self._asked += 1
        return answer


def actions_for(answer: Answer, request: ReceivedRequest) -> Sequence[Action]:
    """The actions that answer this request; see `Answer`."""
    while True:
        if isinstance(answer, Mapping):
            answer = _route(answer, request)
        elif callable(answer):
            answer = answer(request)
        elif isinstance(answer, Sequence):
            return answer
        else:
            return (answer,)


def _route(routes: Mapping[str, Answer], request: ReceivedRequest) -> Answer:
    for key in (f"{request.method} {request.path}", request.path, "*"):
        if key in routes:
            return routes[key]
    return Reply(f"nothing is served at {request.path}\n", 404)
