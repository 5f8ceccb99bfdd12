"""What the Autobahn run chooses, and how it reads the server's verdicts; the server itself is not needed."""

from collections import Counter
from typing import Any

import pytest
from wayfare_websocket import DeflateOffer

from scripts.autobahn import (
    MODES,
    PLAIN,
    Verdict,
    address_of,
    in_profile,
    main,
    modes_of,
    problems,
    verdicts,
)


def every_case() -> list[str]:
    """The numbers of the cases about compression, and some of the others."""
    groups = [f"12.{group}" for group in range(1, 6)] + [f"13.{group}" for group in range(1, 8)]
    compressed = [f"{group}.{number}" for group in groups for number in range(1, 19)]
    return ["1.1.1", "7.9.13", "9.8.6", "10.1.1", *compressed]


def test_the_profile_has_three_cases_of_each_group_about_compression() -> None:
    chosen = Counter(case.rpartition(".")[0] for case in every_case() if in_profile(case))
    assert len(chosen) == 16
    assert {count for group, count in chosen.items() if group.startswith(("12.", "13."))} == {3}
    assert in_profile("9.8.6")


def test_compression_is_tried_in_both_modes() -> None:
    assert modes_of("12.1.1") == modes_of("13.7.18") == MODES
    assert modes_of("1.1.1") == modes_of("2.12") == (PLAIN,)
    assert PLAIN.compress == 0
    forgetful = MODES[1].compress
    assert isinstance(forgetful, DeflateOffer)
    assert forgetful.client_no_context_takeover
    assert forgetful.server_no_context_takeover


@pytest.mark.parametrize(
    ("behavior", "close", "good"),
    [
        ("OK", "OK", True),
        ("NON-STRICT", "OK", True),
        ("INFORMATIONAL", "INFORMATIONAL", True),
        ("FAILED", "OK", False),
        ("OK", "FAILED", False),
        ("OK", "UNCLEAN", False),
        ("UNIMPLEMENTED", "OK", False),
        ("OK", "WRONG CODE", False),
    ],
)
def test_which_verdicts_are_good(behavior: str, close: str, good: bool) -> None:
    assert Verdict("plain", "1.1.1", behavior, close).good is good


def test_a_report_is_read_and_what_is_missing_is_a_problem() -> None:
    fine: dict[str, Any] = {"behavior": "OK", "behaviorClose": "OK", "remoteCloseCode": 1000}
    bad = {**fine, "behaviorClose": "UNCLEAN"}
    found = verdicts({"plain": {"1.1.1": fine, "2.1": bad}, "takeover": {"12.1.1": fine}})
    assert Verdict("plain", "2.1", "OK", "UNCLEAN") in found
    assert problems(found, [(PLAIN, "1.1.1"), (MODES[0], "12.1.1")]) == []
    assert problems(found, [(PLAIN, "2.1"), (MODES[1], "12.1.1")]) == [
        "2.1 (plain): OK, closing: UNCLEAN",
        "12.1.1 (no-takeover) has no verdict",
    ]


def test_the_address_stands_in_what_the_services_wrote() -> None:
    assert address_of("A=b\nWAYFARE_AUTOBAHN_URL=ws://127.0.0.1:1\n") == "ws://127.0.0.1:1"
    with pytest.raises(SystemExit, match=r"scripts/services\.sh start autobahn"):
        address_of("A=b\n")


def test_the_arguments_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "337 of the 517 cases" in capsys.readouterr().out
