"""Hugging Face's models."""

from huggingface_provider.provider import HuggingFace

__all__ = ["HuggingFace"]
