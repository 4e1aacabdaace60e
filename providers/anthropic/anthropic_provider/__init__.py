"""Anthropic's models."""

from anthropic_provider.provider import Anthropic

__all__ = ["Anthropic"]
