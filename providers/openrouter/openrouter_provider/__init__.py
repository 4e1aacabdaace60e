"""OpenRouter as a provider."""

from openrouter_provider.provider import OpenRouter

__all__ = ["OpenRouter"]
