"""Models of an Ollama server."""

from ollama_provider.provider import Ollama

__all__ = ["Ollama"]
