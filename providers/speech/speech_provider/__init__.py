"""MediaConduit provider that reads text aloud with eSpeak NG."""

from speech_provider.provider import Speech

__all__ = ["Speech"]
