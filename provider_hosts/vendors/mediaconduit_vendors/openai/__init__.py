"""The wire style of OpenAI's API, which most vendors and engines speak."""
