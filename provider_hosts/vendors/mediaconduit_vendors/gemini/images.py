"""Images made by models that converse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mediaconduit_provider import Call, Output
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.api import Api
from mediaconduit_vendors.gemini.candidate import Candidate
from mediaconduit_vendors.gemini.generate import Generate
from mediaconduit_vendors.gemini.reading import Answer, data_part
from mediaconduit_vendors.options import place

PNG: Final = "image/png"
JPEG: Final = "image/jpeg"


class Images(Generate):
    """Images, with the words that go with them; images in the input are changed as the prompt says."""

    def configure(self, call: Call, body: dict[str, Any]) -> None:
        """Wants images, as JPEG where the caller does."""
        place(body, "generationConfig.responseModalities", ["TEXT", "IMAGE"])
        if call.media_type(PNG, JPEG) == JPEG:
            place(body, "generationConfig.responseFormat.image.mimeType", "IMAGE_JPEG")

    def answer(self, call: Call, api: Api) -> Answer:
        """Keeps drafts apart."""
        return Answer(call, api.vendor.id, _Drafts(call.option("image.previews", 0)).media)


class _Drafts:
    """What becomes of images: those that a model made while it thought are early looks at the next one.

    Args:
        most: How many are wanted.
    """

    def __init__(self, most: int) -> None:
        self._most = most

    def media(self, candidate: Candidate, data: bytes, media_type: str, piece: Mapping[str, Any]) -> Iterator[Yielded]:
        """An image, or a draft of one."""
        if piece.get("thought"):
            if candidate.drafts < self._most:
                yield from _draft(candidate, data, media_type)
            return
        whole = candidate.draft
        candidate.draft, candidate.drafts = None, 0
        if whole is None or whole.media_type != media_type:
            yield from data_part(candidate, data, media_type, piece)
            return
        yield whole.data(data)
        if (state := candidate.state(piece.get("thoughtSignature"))) is not None:
            yield whole.state(state)
        yield whole.done()


def _draft(candidate: Candidate, data: bytes, media_type: str) -> Iterator[Yielded]:
    """The image itself begins with its first draft, so that drafts can name it."""
    if candidate.draft is None:
        candidate.draft = Output(media_type, candidate=candidate.index)
        yield candidate.draft
    candidate.drafts += 1
    look = Output(media_type, candidate=candidate.index, preview_of=candidate.draft)
    yield look.data(data)
    yield look.done()
