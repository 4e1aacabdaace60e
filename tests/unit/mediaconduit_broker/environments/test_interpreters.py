"""A Python is one that is on this machine."""

from __future__ import annotations

import os

import pytest
from mediaconduit.errors import PreconditionError
from mediaconduit_broker.environments.interpreters import choose_interpreter, own_interpreter
from mediaconduit_broker.environments.tools import Tools, build_environ


@pytest.fixture
def tools() -> Tools:
    return Tools(build_environ(os.environ))


@pytest.mark.parametrize("stated", ["", ">=3.11", "<4"])
async def test_the_brokers_own_where_that_will_do(stated: str, tools: Tools) -> None:
    assert await choose_interpreter(stated, ">=3.11", tools) == own_interpreter()


async def test_one_that_is_missing_is_named_with_how_to_get_it(tools: Tools) -> None:
    with pytest.raises(PreconditionError) as caught:
        await choose_interpreter(">=3.19,<3.20", ">=3.11", tools)
    assert "needs Python >=3.19,<3.20, which is not on this machine" in caught.value.message
    assert own_interpreter().version in caught.value.message
    assert "`uv python install 3.19`" in caught.value.hint


async def test_one_that_cannot_be_says_so(tools: Tools) -> None:
    with pytest.raises(PreconditionError) as caught:
        await choose_interpreter("<3.11", ">=3.11", tools)
    assert caught.value.message == "the provider needs Python <3.11, and what runs providers needs >=3.11"
    assert "widen requires-python" in caught.value.hint
