# /// script
# requires-python = ">=3.11"
# dependencies = ["google-genai==3.4.0"]
# ///
"""Google's SDK."""

import json

from common import answer, run, vectors
from google import genai


def client(asked):
    return genai.Client(api_key=asked["key"], http_options={"base_url": asked["url"], "api_version": "v1beta"})


def stream(asked):
    body = asked["body"]
    config = {
        "system_instruction": body.get("systemInstruction"),
        "tools": body.get("tools"),
        **body.get("generationConfig", {}),
    }
    text = thoughts = ""
    calls, finish, tokens = [], "", (0, 0)
    google = client(asked)  # closes its connections when it is collected
    for chunk in google.models.generate_content_stream(model=asked["model"], contents=body["contents"], config=config):
        for candidate in chunk.candidates or ():
            finish = candidate.finish_reason.value if candidate.finish_reason else finish
            for part in (candidate.content and candidate.content.parts) or ():
                if part.function_call:
                    calls.append(
                        (part.function_call.id or "", part.function_call.name, json.dumps(part.function_call.args))
                    )
                elif part.thought:
                    thoughts += part.text or ""
                else:
                    text += part.text or ""
        if usage := chunk.usage_metadata:
            written = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
            tokens = (usage.prompt_token_count or 0, written)
    return answer(text=text, reasoning=thoughts, tool_calls=calls, finish=finish, tokens=tokens)


def embeddings(asked):
    contents = [request["content"] for request in asked["body"]["requests"]]
    google = client(asked)
    found = google.models.embed_content(model=asked["model"], contents=contents)
    return vectors(item.values for item in found.embeddings)


run({"stream": stream, "tools": stream, "embeddings": embeddings})
