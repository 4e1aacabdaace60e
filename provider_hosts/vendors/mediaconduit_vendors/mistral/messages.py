"""Turns as Mistral's messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from mediaconduit_provider import Part, Turn

from mediaconduit_vendors.content import media_type_of
from mediaconduit_vendors.openai.messages import Messages


class MistralMessages(Messages):
    """Messages with documents, sound and reasoning among their content. Nobody in them has a name."""

    async def write(self) -> list[dict[str, Any]]:
        """All messages; an answer that has begun already is gone on with."""
        messages = await super().write()
        if messages and messages[-1]["role"] == "assistant" and not messages[-1].get("tool_calls"):
            messages[-1]["prefix"] = True
        return messages

    async def turn(self, turn: Turn, number: int) -> AsyncIterator[dict[str, Any]]:
        """A turn as messages; reasoning is the first of its content."""
        async for message in super().turn(turn, number):
            message.pop("name", None)
            if thoughts := message.pop("thoughts", None):
                said = message["content"] or []
                content = [{"type": "text", "text": said}] if isinstance(said, str) else said
                message["content"] = [*thoughts, *content]
            yield message

    async def piece(self, part: Part, field: str) -> dict[str, Any]:
        """One piece of content."""
        media_type = media_type_of(part)
        if media_type.startswith("audio/"):
            return {"type": "input_audio", "input_audio": await self.inputs.base64(part, field)}
        if media_type == "application/pdf":
            return {"type": "document_url", "document_url": await self.inputs.url(part, field)}
        return await super().piece(part, field)

    def reasoning(self, part: Part, message: dict[str, Any]) -> None:
        """Reasoning goes back as it came; of another vendor's nothing does."""
        if state := self.own_state(part):
            message.setdefault("thoughts", []).append({"type": "thinking", "thinking": state})
