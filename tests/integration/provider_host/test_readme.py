"""What the authors' README shows works."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from mediaconduit.errors import ExhaustedError, InvalidRequestError
from mediaconduit_provider.testing import serve

README = Path(__file__).parents[3] / "provider_hosts/python/README.md"


@pytest.fixture
def shown() -> dict[str, Any]:
    """Everything its Python blocks define."""
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", README.read_text(), re.S):
        exec(block, names)
    return names


async def test_the_provider_passes_its_test(shown: dict[str, Any]) -> None:
    await shown["test_it_shouts"]()


async def test_the_provider_refuses_what_it_says(shown: dict[str, Any]) -> None:
    async with serve(shown["Shout"]()) as served:
        model = served.model("default")
        assert (await model.transform("hi")).text == "HI !", "the schema's default"
        with pytest.raises(InvalidRequestError, match=r"options\.extra\.marks"):
            await model.transform("hi", extra={"marks": 6})
        with pytest.raises(ExhaustedError) as raised:
            await model.transform("overload me")
        assert raised.value.retry_after == 5


def test_a_complete_provider_fits_on_one_screen() -> None:
    block = re.findall(r"```python\n(.*?)```", README.read_text(), re.S)[0]
    assert len(block.splitlines()) < 40
