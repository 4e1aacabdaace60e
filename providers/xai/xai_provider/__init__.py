"""xAI's models."""

from xai_provider.provider import XAI

__all__ = ["XAI"]
