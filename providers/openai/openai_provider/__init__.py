"""OpenAI's models."""

from openai_provider.provider import OpenAI

__all__ = ["OpenAI"]
