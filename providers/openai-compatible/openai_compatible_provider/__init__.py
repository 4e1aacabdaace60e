"""Any server that speaks OpenAI's API."""

from openai_compatible_provider.provider import OpenAICompatible

__all__ = ["OpenAICompatible"]
