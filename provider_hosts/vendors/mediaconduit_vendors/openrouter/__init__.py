"""OpenRouter: OpenAI's style, routed to whoever serves a model."""
