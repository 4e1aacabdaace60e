"""Conversations by Hugging Face's router, which passes them on to providers of inference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mediaconduit_vendors.openai.chat import Chat
from mediaconduit_vendors.openai.options import CHAT, CHAT_FIELDS
from mediaconduit_vendors.options import Schema, without


class RouterChat(Chat):
    """``POST /v1/chat/completions``. The model's id may name the provider: "org/name:groq", ":cheapest", ":fastest"."""

    path: ClassVar[str] = "/v1/chat/completions"
    options: ClassVar[Mapping[str, Schema]] = without(CHAT, "text.parallel_tool_calls", "text.reasoning_effort")
    fields: ClassVar[Mapping[str, str]] = {**CHAT_FIELDS, "text.max_output_tokens": "max_tokens"}


class ReasoningChat(RouterChat):
    """With a model that reasons."""

    options: ClassVar[Mapping[str, Schema]] = {
        **RouterChat.options,
        "text.reasoning_effort": {"enum": ["none", "minimal", "low", "medium", "high"]},
    }
