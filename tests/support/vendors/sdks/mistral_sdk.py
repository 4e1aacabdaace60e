# /// script
# requires-python = ">=3.11"
# dependencies = ["mistralai==3.7.0"]
# ///
"""Mistral's SDK."""

from common import run, streamed_chat, vectors
from mistralai.client import Mistral


def client(asked):
    return Mistral(server_url=asked["url"], api_key=asked["key"])


def chat(asked):
    body = {key: value for key, value in asked["body"].items() if key not in ("stream", "stream_options")}
    with client(asked).chat.stream(**body) as events:
        return streamed_chat(event.data for event in events)


def embeddings(asked):
    body = dict(asked["body"])
    found = client(asked).embeddings.create(inputs=body.pop("input"), **body)
    return vectors(item.embedding for item in found.data)


run({"chat": chat, "embeddings": embeddings})
