"""Every test with an argument `member` runs once for each package of the workspace."""

import pytest

from scripts.checks.members import members


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Hand each member to the tests that ask for one."""
    if "member" in metafunc.fixturenames:
        every = members()
        metafunc.parametrize("member", every, ids=[member.root for member in every])
