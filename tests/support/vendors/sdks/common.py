"""What the scripts beside this share. Imports nothing but the standard library: each has an environment of its own.

A script reads requests from its standard input, a line each, ``{"operation", "url", "key", "model", "path", "query",
"body", "form"}``, calls the vendor's official SDK with what is in `body`, and writes a line with what the SDK made of
the answer, or ``{"error": why}``:

- of conversations ``{"text", "reasoning", "tool_calls": [[id, name, arguments]], "finish", "input", "output"}``, tokens
  counted in all;
- of media ``{"sha256": [of the bytes of each]}``; of vectors ``{"vectors": [[…]]}``;
- of speech ``{"transcript": text}``; of judgements ``{"scores": [[item, label, value], …]}``, sorted.

Of a form `body` is empty and ``form`` holds its fields, ``[name, filename, media type, base64]``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any


def run(operations: Mapping[str, Callable[[dict[str, Any]], Any]]) -> None:
    """Answers until its input ends."""
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            made = operations[asked["operation"]](asked)
        except Exception:
            made = {"error": traceback.format_exc()}
        print(json.dumps(made), flush=True)


def answer(
    *,
    text: str = "",
    reasoning: str = "",
    tool_calls: Iterable[tuple[str, str, str]] = (),
    finish: str | None = "",
    tokens: tuple[int, int] = (0, 0),
) -> dict[str, Any]:
    """What a model said."""
    return {
        "text": text,
        "reasoning": reasoning,
        "tool_calls": [[id, name, json.loads(arguments or "{}")] for id, name, arguments in tool_calls],
        "finish": finish or "",
        "input": tokens[0],
        "output": tokens[1],
    }


def media(*contents: bytes) -> dict[str, Any]:
    """Files."""
    return {"sha256": [hashlib.sha256(content).hexdigest() for content in contents]}


def form(asked: dict[str, Any]) -> tuple[dict[str, Any], dict[str, list[tuple[str, bytes, str]]]]:
    """Fields of a form and its files, by name; "name[]" is a list."""
    fields: dict[str, Any] = {}
    files: dict[str, list[tuple[str, bytes, str]]] = {}
    for name, filename, media_type, encoded in asked["form"]:
        content = base64.b64decode(encoded)
        if filename:
            files.setdefault(name.removesuffix("[]"), []).append((filename, content, media_type))
        elif name.endswith("[]"):
            fields.setdefault(name.removesuffix("[]"), []).append(content.decode())
        else:
            fields[name] = content.decode()
    return fields, files


def vectors(found: Iterable[Iterable[float]]) -> dict[str, Any]:
    """Embeddings; the contract holds them in single precision."""
    return {"vectors": [[round(float(value), 5) for value in vector] for vector in found]}


def streamed_chat(chunks: Iterable[Any]) -> dict[str, Any]:
    """Chunks of a chat in OpenAI's style, as several SDKs have them."""
    text = reasoning = finish = ""
    calls: dict[int, list[str]] = {}
    tokens = (0, 0)
    for chunk in chunks:
        if usage := getattr(chunk, "usage", None):
            tokens = (usage.prompt_tokens, usage.completion_tokens)
        for choice in chunk.choices:
            delta = choice.delta
            text += getattr(delta, "content", None) or ""
            reasoning += getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None) or ""
            finish = choice.finish_reason or finish
            for call in getattr(delta, "tool_calls", None) or ():
                known = calls.setdefault(call.index, ["", "", ""])
                known[0] = call.id or known[0]
                known[1] = call.function.name or known[1]
                known[2] += call.function.arguments or ""
    return answer(
        text=text,
        reasoning=reasoning,
        tool_calls=[(id, name, arguments) for id, name, arguments in calls.values()],
        finish=str(finish),
        tokens=tokens,
    )
