"""Images by models that only make images: ``:predict``.

The published description has no such method any more; its form is that of Google's SDK google-genai 1.50.0
(``_GenerateImagesParameters_to_mldev``). A model is asked so where the vendor lists it with this method.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

from mediaconduit_provider import Call, Facts, Output
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.api import Api
from mediaconduit_vendors.content import prompt_of
from mediaconduit_vendors.gemini.generate import asked
from mediaconduit_vendors.gemini.reading import refused
from mediaconduit_vendors.options import Schema, place
from mediaconduit_vendors.usage import usage_of

OPTIONS: Final[Mapping[str, Schema]] = {
    "candidates": {"type": "integer", "minimum": 1, "maximum": 4},
    "image.aspect_ratio": {"enum": ["1:1", "3:4", "4:3", "9:16", "16:9"]},
    "image.resolution": {"enum": ["1K", "2K"]},
    "extra.person_generation": {"enum": ["allow_all", "allow_adult", "dont_allow"]},
}
_PARAMETERS: Final = {
    "candidates": "sampleCount",
    "image.aspect_ratio": "aspectRatio",
    "image.resolution": "sampleImageSize",
    "extra.person_generation": "personGeneration",
}


class Imagen:
    """Images from words."""

    async def __call__(self, api: Api, call: Call) -> AsyncGenerator[Yielded, None]:
        """The images; those that the vendor's policy withholds are left out."""
        body: dict[str, Any] = {"instances": [{"prompt": prompt_of(call)}], "parameters": {"includeRaiReason": True}}
        for path, name in _PARAMETERS.items():
            if (value := call.option(path)) is not None:
                place(body, f"parameters.{name}", value)
        if call.media_type("image/png", "image/jpeg") == "image/jpeg":
            place(body, "parameters.outputOptions.mimeType", "image/jpeg")
        answer, reply = await api.json(asked(call, "predict", body))
        yield Facts(vendor_request_id=reply.request_id)
        predictions = answer.get("predictions") or ()
        made = [each for each in predictions if each.get("bytesBase64Encoded")]
        if not made:
            raise refused("; ".join(filter(None, map(_why, predictions))) or "no image was made", ())
        for number, each in enumerate(made):
            output = Output(each.get("mimeType") or "image/png", candidate=number)
            yield output.data(base64.b64decode(each["bytesBase64Encoded"]))
            yield output.done()
        yield usage_of({"image": len(made)}, call.model.pricing)


def _why(prediction: Mapping[str, Any]) -> str:
    return prediction.get("raiFilteredReason") or ""
