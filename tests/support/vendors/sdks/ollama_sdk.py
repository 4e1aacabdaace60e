# /// script
# requires-python = ">=3.11"
# dependencies = ["ollama==0.6.3"]
# ///
"""Ollama's SDK."""

import json

from common import answer, run, vectors
from ollama import Client


def chat(asked):
    text = thoughts = ""
    calls = []
    for part in Client(host=asked["url"]).chat(**asked["body"]):
        text += part.message.content or ""
        thoughts += part.message.thinking or ""
        calls += [
            ("", call.function.name, json.dumps(call.function.arguments)) for call in part.message.tool_calls or ()
        ]
    tokens = (part.prompt_eval_count or 0, part.eval_count or 0)
    return answer(text=text, reasoning=thoughts, tool_calls=calls, finish=part.done_reason, tokens=tokens)


def generate(asked):
    parts = list(Client(host=asked["url"]).generate(**asked["body"]))
    tokens = (parts[-1].prompt_eval_count or 0, parts[-1].eval_count or 0)
    return answer(text="".join(part.response for part in parts), finish=parts[-1].done_reason, tokens=tokens)


def embeddings(asked):
    return vectors(Client(host=asked["url"]).embed(**asked["body"]).embeddings)


run({"chat": chat, "generate": generate, "embeddings": embeddings})
