# /// script
# requires-python = ">=3.11"
# dependencies = ["elevenlabs==2.78.0"]
# ///
"""ElevenLabs' SDK."""

from common import media, run
from elevenlabs.client import ElevenLabs


def speech(asked):
    client = ElevenLabs(base_url=asked["url"], api_key=asked["key"])
    options = {**asked["query"], **asked["body"]}
    return media(b"".join(client.text_to_speech.stream(asked["path"].split("/")[3], **options)))


run({"speech": speech})
