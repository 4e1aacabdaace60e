"""Chat and embeddings by a llama server inside the provider."""

from llamacpp_provider.provider import LlamaCpp

__all__ = ["LlamaCpp"]
