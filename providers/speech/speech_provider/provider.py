"""The provider: text-to-audio with eSpeak NG."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, ClassVar, Final

from mediaconduit_provider import Call, Facts, InputSpec, Model, Notice, Pricing, Provider, Session, Voice
from mediaconduit_provider.outputs import Yielded

from speech_provider import script
from speech_provider.conversation import Conversation
from speech_provider.formats import L16, WAV
from speech_provider.pool import Engine, EnginePool
from speech_provider.reading import Reading
from speech_provider.utterance import OPTIONS, Planner, spoken_inputs
from speech_provider.voices import Catalog

DEFAULT_VOICE: Final = "en-US"
WARM_ENGINES: Final = 2


class Speech(Provider):
    """Reads text aloud. The same text with the same options always gives the same audio."""

    display_name = "Speech"
    max_concurrency = 16
    settings_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "voice": {
                "type": "string",
                "default": DEFAULT_VOICE,
                "description": "Voice of calls that name neither a voice nor a language.",
            },
            "warm_engines": {
                "type": "integer",
                "minimum": 0,
                "maximum": 8,
                "default": WARM_ENGINES,
                "description": "Engine processes started ahead of need, 15 MB each: the first sound comes sooner.",
            },
        },
        "additionalProperties": False,
    }
    models: Sequence[Model] = (
        Model(
            "default",
            capabilities=["text-to-audio"],
            display_name="eSpeak NG",
            description="Formant synthesis: small, fast, clear rather than natural. Over a hundred languages.",
            options=OPTIONS,
            inputs=[InputSpec(media_types=[script.PLAIN, script.SSML], max_bytes=script.MAX_BYTES, max_count=1000)],
            output_media_types=[WAV, L16],
            features=["streaming", "live", "word-times", "ssml", "multi-speaker"],
            pricing=Pricing(currency="USD", source="local"),
            canonical_id="espeak-ng",
        ),
    )

    def __init__(self) -> None:
        self._pool = EnginePool(WARM_ENGINES)
        self._planner = Planner(Catalog(()), DEFAULT_VOICE)
        self._version = ""

    async def setup(self) -> None:
        """Asks an engine for its voices and starts the warm ones. Raises `UnavailableError` when it does not start."""
        engine = await Engine.start()
        try:
            self._version = engine.facts.version
            catalog = Catalog.from_engine(await engine.voices())
        except BaseException:
            await engine.close()
            raise
        self._planner = Planner(catalog, self._planner.default_voice)
        self._pool.put(engine)  # it has not spoken
        self._pool.refill()

    async def configure(self, settings: Mapping[str, Any]) -> None:
        """Takes the default voice and how many engines to keep warm."""
        voice = settings.get("voice", DEFAULT_VOICE)
        if self._version:
            self._planner.catalog.choose(voice, "", DEFAULT_VOICE, field="settings")
        self._planner = Planner(self._planner.catalog, voice)
        self._pool.warm = int(settings.get("warm_engines", WARM_ENGINES))
        self.settings = settings
        if self._version:
            self._pool.refill()

    async def close(self) -> None:
        """Ends the engines."""
        await self._pool.close()

    async def list_voices(self) -> Sequence[Voice]:
        """What the engine found: a voice per language, and variants that change how any of them sounds."""
        return self._planner.catalog.voices()

    async def transform(self, call: Call) -> AsyncGenerator[Yielded, None]:
        """One audio output; a transcript of it as a second one when `audio.times` is set."""
        utterances = self._planner.plan(call, spoken_inputs(call))
        if call.system:
            yield Notice(code="INSTRUCTIONS_IGNORED", message="this voice cannot follow instructions on how to speak")
        yield self._facts()
        reading = self._new_reading(call, 0)
        async with contextlib.aclosing(reading.read(utterances)) as spoken:
            async for item in spoken:
                yield item
        yield reading.usage

    async def live(self, session: Session) -> AsyncGenerator[Yielded, None]:
        """An audio output per turn."""
        yield self._facts()
        conversation = Conversation(session, self._planner, self._new_reading)
        async with contextlib.aclosing(conversation.run()) as events:
            async for event in events:
                yield event

    def _new_reading(self, call: Call, turn: int) -> Reading:
        return Reading(
            self._pool,
            self._planner.media_type(call),
            call.options.audio.times,
            self._planner.catalog.speaks,
            turn=turn,
        )

    def _facts(self) -> Facts:
        return Facts(vendor_model=f"espeak-ng {self._version}")
