"""A cow, or one of its friends, says what you write."""

import asyncio
from collections.abc import AsyncIterator

from mediaconduit_provider import Call, InputSpec, InvalidRequestError, Model, Pricing, Provider, Usage

from cowsay_provider.balloon import balloon
from cowsay_provider.characters import CHARACTERS, draw

OPTIONS = {
    "extra.eyes": {"type": "string", "minLength": 2, "maxLength": 2, "default": "oo"},
    "extra.tongue": {"type": "string", "minLength": 2, "maxLength": 2, "default": "  "},
    "extra.think": {"type": "boolean", "default": False, "description": "Think it instead of saying it."},
    "extra.width": {
        "type": "integer",
        "minimum": 10,
        "maximum": 120,
        "default": 40,
        "description": "Columns after which lines are wrapped.",
    },
    "extra.delay_ms": {
        "type": "integer",
        "minimum": 0,
        "maximum": 5000,
        "default": 0,
        "description": "Pause between lines, in milliseconds.",
    },
}
TEXT = InputSpec(media_types=["text/*"], required=True, max_bytes=65536)


class Cowsay(Provider):
    """Text in, a speaking animal out, one line at a time."""

    models = tuple(
        Model(
            name,
            capabilities=["text-to-text"],
            display_name=character.title,
            options=OPTIONS,
            inputs=[TEXT],
            output_media_types=["text/plain"],
            features=["streaming"],
            pricing=Pricing(),  # no rates: free
        )
        for name, character in CHARACTERS.items()
    )

    async def transform(self, call: Call) -> AsyncIterator[str | Usage]:
        """The balloon, then who speaks."""
        if not call.text.strip():
            raise InvalidRequestError.at("turns", "there is nothing to say", hint="give it some text")
        think = call.option("extra.think", False)
        pause = call.option("extra.delay_ms", 0) / 1000
        said = balloon(call.text, width=call.option("extra.width", 40), think=think)
        speaker = draw(
            CHARACTERS[call.model.id],
            eyes=call.option("extra.eyes", "oo"),
            tongue=call.option("extra.tongue", "  "),
            think=think,
        )
        for number, line in enumerate([*said, *speaker]):
            if number and pause:
                await asyncio.sleep(pause)
            yield line + "\n"
        yield Usage(units={"character": len(call.text)})
