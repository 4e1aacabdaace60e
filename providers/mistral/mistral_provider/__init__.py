"""Mistral as a provider."""

from mistral_provider.provider import Mistral

__all__ = ["Mistral"]
