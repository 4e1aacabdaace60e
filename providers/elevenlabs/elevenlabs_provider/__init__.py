"""ElevenLabs' voices and models."""

from elevenlabs_provider.provider import ElevenLabs

__all__ = ["ElevenLabs"]
