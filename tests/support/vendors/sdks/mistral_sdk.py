# /// script
# requires-python = ">=3.11"
# dependencies = ["mistralai==3.7.0"]
# ///
"""Mistral's SDK."""

import base64

from common import answer, form, media, run, streamed_chat, vectors
from mistralai.client import Mistral

STREAMED = ("stream", "stream_options")


def client(asked):
    return Mistral(server_url=asked["url"], api_key=asked["key"])


def chat(asked):
    body = {key: value for key, value in asked["body"].items() if key not in STREAMED}
    with client(asked).chat.stream(**body) as events:
        return streamed_chat(plain(event.data) for event in events)


def plain(chunk):
    """A chunk whose text and reasoning are texts, and whose calls' arguments are."""
    for choice in chunk.choices:
        delta = choice.delta
        if isinstance(delta.content, list):
            said = [piece.text for piece in delta.content if piece.type == "text"]
            thoughts = [part.text for piece in delta.content if piece.type == "thinking" for part in piece.thinking]
            delta.content = "".join(said)
            choice.delta = Thinking(delta, "".join(thoughts))
    return chunk


class Thinking:
    """A delta with reasoning beside its text."""

    def __init__(self, delta, reasoning):
        self.content, self.tool_calls, self.reasoning = delta.content, delta.tool_calls, reasoning


def embeddings(asked):
    body = dict(asked["body"])
    found = client(asked).embeddings.create(inputs=body.pop("input"), **body)
    return vectors(item.embedding for item in sorted(found.data, key=lambda item: item.index))


def ocr(asked):
    read = client(asked).ocr.process(**asked["body"])
    if read.document_annotation:
        return answer(text=read.document_annotation)
    images = [image.image_base64 for page in read.pages for image in page.images]
    return media(*(base64.b64decode(image.partition(",")[2]) for image in images))


def speech(asked):
    body = {key: value for key, value in asked["body"].items() if key not in STREAMED}
    with client(asked).audio.speech.complete(**body, stream=True) as events:
        pieces = [event.data.audio_data for event in events if event.event == "speech.audio.delta"]
    return media(b"".join(base64.b64decode(piece) for piece in pieces))


def transcription(asked):
    fields, files = form(asked)
    [(name, content, media_type)] = files["file"]
    fields = {key: typed(key, value) for key, value in fields.items() if key not in STREAMED}
    sent = {"file_name": name, "content": content, "content_type": media_type}
    with client(asked).audio.transcriptions.stream(file=sent, **fields) as events:
        return {"transcript": [event.data.text for event in events if event.event == "transcription.done"][-1]}


def typed(name, value):
    if name == "diarize":
        return value == "true"
    if name in ("context_bias", "timestamp_granularities"):
        return value if isinstance(value, list) else [value]
    return float(value) if name == "temperature" else value


run({"chat": chat, "embeddings": embeddings, "ocr": ocr, "speech": speech, "transcription": transcription})
