import pytest
from cowsay_provider import Cowsay
from cowsay_provider.characters import CHARACTERS
from mediaconduit_provider import InvalidRequestError, Reason
from mediaconduit_provider.testing import serve

SAID = r""" _______
< Hello >
 -------
   \    (\__/)
    \   ( oo )_________
        (_.._)         )\
              \  ,--w  / \
              ||     ||   '
              ||     ||
"""


async def test_the_cow_says_it():
    async with serve(Cowsay()) as served:
        result = await served.model("default").transform("Hello")
    assert result.text == SAID
    assert result.usage.units["character"] == 5


@pytest.mark.parametrize("name", CHARACTERS)
async def test_every_character_speaks(name):
    async with serve(Cowsay()) as served:
        result = await served.model(name).transform("Hello", extra={"eyes": "$$", "tongue": "UU", "think": True})
    assert "( Hello )" in result.text
    assert "$$" in result.text
    assert "UU" in result.text


async def test_lines_arrive_one_by_one_and_leaving_ends_the_work():
    async with serve(Cowsay()) as served:
        seen = []
        async for event in served.model("default").stream("one\ntwo", extra={"delay_ms": 100}):
            if event.text:
                seen.append(event.text)
            if len(seen) == 3:
                break
        # One line an event: the pause leaves the host nothing to join.
        assert seen == [" _____\n", "/ one \\\n", "\\ two /\n"]
        assert (await served.model("default").transform("still here")).text


@pytest.mark.parametrize("text", ["", " \n\t "])
async def test_silence_is_refused(text):
    async with serve(Cowsay()) as served:
        with pytest.raises(InvalidRequestError) as caught:
            await served.model("default").transform(text)
    assert caught.value.reason is Reason.INPUT_INVALID


@pytest.mark.parametrize(
    ("option", "value"),
    [("width", 9), ("width", 121), ("delay_ms", -1), ("delay_ms", 5001), ("eyes", "o"), ("horns", 2)],
)
async def test_options_out_of_range_are_refused_by_name(option, value):
    async with serve(Cowsay()) as served:
        with pytest.raises(InvalidRequestError) as caught:
            await served.model("default").transform("Hello", extra={option: value})
    assert option in " ".join(f"{f.field} {f.description}" for f in caught.value.fields)


async def test_a_speech_is_refused():
    async with serve(Cowsay()) as served:
        with pytest.raises(InvalidRequestError) as caught:
            await served.model("default").transform("moo " * 20_000)
    assert caught.value.reason is Reason.INPUT_TOO_LARGE
