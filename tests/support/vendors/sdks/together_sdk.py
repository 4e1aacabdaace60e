# /// script
# requires-python = ">=3.11"
# dependencies = ["together==3.1.1"]
# ///
"""Together's SDK."""

import base64

from common import media, run, streamed_chat, vectors
from together import Together


def client(asked):
    return Together(base_url=asked["url"], api_key=asked["key"], max_retries=0)


def chat(asked):
    return streamed_chat(client(asked).chat.completions.create(**asked["body"]))


def embeddings(asked):
    return vectors(item.embedding for item in client(asked).embeddings.create(**asked["body"]).data)


def images(asked):
    made = client(asked).images.generate(**asked["body"])
    return media(*(base64.b64decode(image.b64_json) for image in made.data))


run({"chat": chat, "embeddings": embeddings, "images": images})
