"""Chat completions with what OpenAI's own models have: voices, search on the web, caches."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from mediaconduit_provider import Call, InvalidRequestError, Output, OutputKind, Part
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.answer import Answer
from mediaconduit_vendors.api import Api
from mediaconduit_vendors.content import state_from
from mediaconduit_vendors.openai.chat import Chat
from mediaconduit_vendors.openai.messages import Messages
from mediaconduit_vendors.openai.options import CHAT, Schema
from mediaconduit_vendors.openai.schemas import JSON_WANTED, lacks_the_word
from mediaconduit_vendors.openai.speech import L16
from mediaconduit_vendors.openai.voices import voice_of
from mediaconduit_vendors.options import without
from mediaconduit_vendors.pcm import Swapper

_STRING: Final[Schema] = {"type": "string"}
_SEARCH: Final[Schema] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "search_context_size": {"enum": ["low", "medium", "high"]},
        "user_location": {
            "type": "object",
            "required": ["type", "approximate"],
            "properties": {"type": {"const": "approximate"}, "approximate": {"type": "object"}},
        },
    },
}
GPT_CHAT: Final[Mapping[str, Schema]] = {
    **CHAT,
    "text.reasoning_effort": {"enum": ["none", "minimal", "low", "medium", "high", "xhigh", "max"]},
    "extra.verbosity": {"enum": ["low", "medium", "high"]},
    "extra.service_tier": {"enum": ["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"]},
    "extra.store": {"type": "boolean"},
    "extra.metadata": {"type": "object", "maxProperties": 16, "additionalProperties": _STRING},
    "extra.prompt_cache_key": _STRING,
    "extra.prompt_cache_retention": {"enum": ["in_memory", "24h"]},
    "extra.safety_identifier": _STRING,
    "extra.logit_bias": {
        "type": "object",
        "additionalProperties": {"type": "integer", "minimum": -100, "maximum": 100},
    },
    "extra.prediction": {"type": "object", "required": ["type", "content"]},
}
"""What a chat with OpenAI takes, by path in TransformOptions."""


class GptChat(Chat):
    """A chat with OpenAI's own models."""

    options: ClassVar[Mapping[str, Schema]] = GPT_CHAT

    async def request(self, api: Api, call: Call) -> dict[str, Any]:
        """The body; calls of one conversation share a cache."""
        body = await super().request(api, call)
        if lacks_the_word(call):
            body["messages"].insert(0, {"role": "system", "content": JSON_WANTED})
        if call.affinity_key:
            body.setdefault("prompt_cache_key", call.affinity_key)
        return body


class SearchChat(GptChat):
    """Models that search the web before they answer, always."""

    options: ClassVar[Mapping[str, Schema]] = {
        **without(
            GPT_CHAT,
            "seed",
            "candidates",
            "text.temperature",
            "text.top_p",
            "text.presence_penalty",
            "text.frequency_penalty",
            "text.top_logprobs",
        ),
        "extra.web_search_options": _SEARCH,
    }

    async def request(self, api: Api, call: Call) -> dict[str, Any]:
        """The body; without this field an older model does not search."""
        return {"web_search_options": {}} | await super().request(api, call)


class VoiceAnswer(Answer):
    """An answer that may be spoken: samples, and a transcript of them."""

    def __init__(self, call: Call, vendor: str) -> None:
        super().__init__(call)
        self._vendor = vendor
        self._speech: Output | None = None
        self._transcript: Output | None = None
        self._swapper = Swapper()

    def spoken(self, audio: Mapping[str, Any]) -> Iterator[Yielded]:
        """More of it. Its id comes first, and is all that has to come back."""
        if self._speech is None or self._transcript is None:
            self._speech = Output(L16)
            self._transcript = Output("", kind=OutputKind.OUTPUT_KIND_TRANSCRIPT)
            if audio.get("id"):
                state = state_from({"audio": audio["id"]}, self._vendor)
                yield self._speech.state(state)
                yield self._transcript.state(state)
        if words := audio.get("transcript"):
            yield self._transcript.text(words)
        if (data := audio.get("data")) and (samples := self._swapper.swapped(base64.b64decode(data))):
            yield self._speech.data(samples)


class VoiceMessages(Messages):
    """Messages of a conversation by voice."""

    def referred(self, part: Part, message: dict[str, Any]) -> bool:
        """What the model said aloud comes back by its id."""
        state = self.own_state(part)
        if not state or "audio" not in state:
            return False
        message["audio"] = {"id": state["audio"]}
        return True


class VoiceChat(GptChat):
    """Models that hear and speak. Speech comes as raw samples, which is all that streams."""

    options: ClassVar[Mapping[str, Schema]] = {
        **without(GPT_CHAT, "candidates", "text.json_schema", "text.reasoning_effort", "text.top_logprobs"),
        "audio.voice": _STRING,
    }
    voice: ClassVar[str] = "alloy"
    """Where the caller names none."""

    def answer(self, api: Api, call: Call) -> Answer:
        """What gathers the answer."""
        return VoiceAnswer(call, api.vendor.id)

    def messages(self, api: Api, call: Call) -> Messages:
        """What writes the messages."""
        return VoiceMessages(call, api.vendor.id)

    async def request(self, api: Api, call: Call) -> dict[str, Any]:
        """The body, and the voice where speech is wanted."""
        body = await super().request(api, call)
        if call.capability.endswith("-to-audio"):
            audio = {"voice": voice_of(call) or self.voice, "format": "pcm16"}
            return body | {"modalities": ["text", "audio"], "audio": audio}
        if call.options.audio.voice:
            raise InvalidRequestError.at("options.audio.voice", "there is speech only where audio is asked for")
        return body

    def delta(
        self, delta: Mapping[str, Any], choice: Mapping[str, Any], answer: Answer, index: int
    ) -> Iterator[Yielded]:
        """What a delta adds."""
        yield from super().delta(delta, choice, answer, index)
        if (audio := delta.get("audio")) and isinstance(answer, VoiceAnswer):
            yield from answer.spoken(audio)
