"""Mistral: OpenAI's style with words of its own, and documents."""
