"""Google's Gemini models."""

from gemini_provider.provider import Gemini

__all__ = ["Gemini"]
