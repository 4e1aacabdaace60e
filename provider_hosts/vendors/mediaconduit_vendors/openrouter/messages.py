"""Turns as OpenRouter's messages."""

from __future__ import annotations

from typing import Any, Final

from mediaconduit_provider import Part

from mediaconduit_vendors.content import media_type_of
from mediaconduit_vendors.openai.messages import Messages

AUDIO_FORMATS: Final = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/aac": "aac",
    "audio/mp4": "m4a",
    "audio/x-m4a": "m4a",
    "audio/aiff": "aiff",
    "audio/x-aiff": "aiff",
}
"""Formats of sound by media type."""
_SHORT: Final = 300
"""Seconds of the shorter of the two times that a cache keeps."""


class RouterMessages(Messages):
    """Messages with reasoning, marks for caches, video, and more kinds of audio."""

    async def piece(self, part: Part, field: str) -> dict[str, Any]:
        """One piece of content."""
        media_type = media_type_of(part)
        if media_type in AUDIO_FORMATS:
            audio = {"data": await self.inputs.base64(part, field), "format": AUDIO_FORMATS[media_type]}
            return {"type": "input_audio", "input_audio": audio}
        if media_type.startswith("video/"):
            return {"type": "video_url", "video_url": {"url": await self.inputs.url(part, field)}}
        piece = await super().piece(part, field)
        if piece["type"] == "text" and part.HasField("cache_ttl"):
            ttl = "5m" if part.cache_ttl.seconds <= _SHORT else "1h"
            piece["cache_control"] = {"type": "ephemeral", "ttl": ttl}
        return piece

    def reasoning(self, part: Part, message: dict[str, Any]) -> None:
        """Reasoning goes back as it came; of another vendor's nothing does."""
        if state := self.own_state(part):
            message.setdefault("reasoning_details", []).extend(state)
