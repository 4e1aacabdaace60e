"""Together's models."""

from together_provider.provider import Together

__all__ = ["Together"]
