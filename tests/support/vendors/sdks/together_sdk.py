# /// script
# requires-python = ">=3.11"
# dependencies = ["together==3.1.1"]
# ///
"""Together's SDK."""

import base64

from common import answer, form, media, run, streamed_chat, vectors
from together import Together


def client(asked):
    return Together(base_url=asked["url"], api_key=asked["key"], max_retries=0)


def chat(asked):
    return streamed_chat(client(asked).chat.completions.create(**asked["body"]))


def completions(asked):
    text = finish = ""
    tokens = (0, 0)
    for chunk in client(asked).completions.create(**asked["body"]):
        for choice in chunk.choices:
            text += choice.text or (choice.delta and choice.delta.content) or ""
        finish = chunk.finish_reason or finish
        if chunk.usage:
            tokens = (chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
    return answer(text=text, finish=finish, tokens=tokens)


def embeddings(asked):
    return vectors(item.embedding for item in client(asked).embeddings.create(**asked["body"]).data)


def images(asked):
    made = sorted(client(asked).images.generate(**asked["body"]).data, key=lambda image: image.index)
    return media(*(base64.b64decode(image.b64_json) for image in made))


def rerank(asked):
    found = client(asked).rerank.create(**asked["body"]).results
    return {"scores": sorted([item.index, "", round(item.relevance_score, 5)] for item in found)}


def speech(asked):
    if not asked["body"].get("stream"):
        return media(client(asked).audio.speech.create(**asked["body"]).read())
    pieces = b"".join(base64.b64decode(chunk.b64) for chunk in client(asked).audio.speech.create(**asked["body"]))
    # Samples of ours have the order of bytes of the contract.
    return media(b"".join(pieces[at : at + 2][::-1] for at in range(0, len(pieces), 2)))


def transcription(asked):
    fields, files = form(asked)
    heard = client(asked).audio
    made = heard.translations if asked["path"].endswith("translations") else heard.transcriptions
    audio = files["file"][0] if files else fields.pop("file")
    return {"transcript": made.create(file=audio, **fields).text}


run(
    {
        "chat": chat,
        "completions": completions,
        "embeddings": embeddings,
        "images": images,
        "rerank": rerank,
        "speech": speech,
        "transcription": transcription,
    }
)
