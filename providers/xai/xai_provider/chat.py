"""Text: by chat, and by responses where the model reasons or xAI's own tools are wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mediaconduit_provider import Call
from mediaconduit_vendors.api import Api
from mediaconduit_vendors.openai.chat import Chat
from mediaconduit_vendors.openai.options import CHAT, CHAT_FIELDS
from mediaconduit_vendors.openai.responses import RESPONSES, Responses
from mediaconduit_vendors.options import Schema, without

EFFORT: Mapping[str, Schema] = {"text.reasoning_effort": {"enum": ["low", "medium", "high"]}}


class GrokChat(Chat):
    """``POST /chat/completions``."""

    options: ClassVar[Mapping[str, Schema]] = {
        **without(CHAT, "text.top_logprobs"),
        **EFFORT,
        "extra.logit_bias": {"type": "object", "additionalProperties": {"type": "number"}},
        "extra.user": {"type": "string"},
    }
    fields: ClassVar[Mapping[str, str]] = {**CHAT_FIELDS, "text.max_output_tokens": "max_tokens"}

    async def request(self, api: Api, call: Call) -> dict[str, Any]:
        """The body. Usage comes with the last piece unasked."""
        body = await super().request(api, call)
        del body["stream_options"]
        return body


class GrokResponses(Responses):
    """``POST /responses``."""

    options: ClassVar[Mapping[str, Schema]] = {
        **{
            path: schema
            for path, schema in RESPONSES.items()
            if not path.startswith("extra.") and path not in ("text.top_logprobs", "text.parallel_tool_calls")
        },
        **EFFORT,
        "extra.previous_response_id": {"type": "string"},
        "extra.store": {"type": "boolean"},
    }
    hosted_tools: ClassVar[frozenset[str]] = frozenset({"web_search", "x_search", "code_interpreter"})
    caches: ClassVar[bool] = False
