"""Ollama's own API: lines of JSON, and models that are fetched to the machine."""
