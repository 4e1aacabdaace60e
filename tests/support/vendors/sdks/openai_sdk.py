# /// script
# requires-python = ">=3.11"
# dependencies = ["openai==3.52.0"]
# ///
"""OpenAI's SDK."""

import base64

from common import answer, form, media, run, streamed_chat, vectors
from openai import OpenAI


def client(asked):
    return OpenAI(base_url=asked["url"] + "/v1", api_key=asked["key"], max_retries=0)


def chat(asked):
    return streamed_chat(client(asked).chat.completions.create(**asked["body"]))


def responses(asked):
    for event in client(asked).responses.create(**asked["body"]):
        if event.type in ("response.completed", "response.incomplete"):
            final = event.response
    calls = [item for item in final.output if item.type == "function_call"]
    thoughts = [item for item in final.output if item.type == "reasoning"]
    return answer(
        text=final.output_text,
        reasoning="\n\n".join(part.text for thought in thoughts for part in thought.summary),
        tool_calls=[(call.call_id, call.name, call.arguments) for call in calls],
        finish=final.status,
        tokens=(final.usage.input_tokens, final.usage.output_tokens),
    )


def embeddings(asked):
    # The SDK asks for base64 by itself, and decodes it only then.
    body = {name: value for name, value in asked["body"].items() if name != "encoding_format"}
    found = sorted(client(asked).embeddings.create(**body).data, key=lambda item: item.index)
    return vectors(item.embedding for item in found)


def images(asked):
    made = client(asked).images.generate(**asked["body"])
    streamed = asked["body"].get("stream")
    found = [event for event in made if event.type.endswith(".completed")] if streamed else made.data
    return media(*(base64.b64decode(image.b64_json) for image in found))


def speech(asked):
    return media(client(asked).audio.speech.create(**asked["body"]).content)


def moderation(asked):
    results = client(asked).moderations.create(**asked["body"]).results
    judged = [(number, result.model_dump(by_alias=True)) for number, result in enumerate(results)]
    return {
        "scores": sorted(
            [number, name, round(score, 5)]
            for number, result in judged
            for name, score in result["category_scores"].items()
            if score is not None
        )
    }


def transcription(asked):
    fields, files = form(asked)
    heard = client(asked).audio
    made = heard.translations if asked["path"].endswith("translations") else heard.transcriptions
    return {"transcript": made.create(file=files["file"][0], **fields).text}


run(
    {
        "chat": chat,
        "responses": responses,
        "embeddings": embeddings,
        "images": images,
        "moderation": moderation,
        "speech": speech,
        "transcription": transcription,
    }
)
