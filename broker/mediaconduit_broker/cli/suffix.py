"""What the name of the file to write says about the media type to make."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mediaconduit.client import Client
from mediaconduit.errors import MediaConduitError

_SAME: Final = {"audio/x-wav": "audio/wav", "audio/vnd.wave": "audio/wav", "audio/mp4a-latm": "audio/mp4"}


def wanted_type(path: Path, offered: Sequence[str]) -> str | None:
    """The offered media type that fits the suffix; None when the model's default does, or none fits.

    `offered`: what the model can make, its default first.
    """
    guessed = mimetypes.guess_type(path.name)[0]
    if guessed is None:
        return None
    plain = _SAME.get(guessed, guessed)
    fitting = (media_type for media_type in offered if media_type.split(";")[0].strip().lower() == plain)
    found = next(fitting, None)
    return None if found is None or found == offered[0] else found


async def types_for(client: Client, model: str, to: Path | None) -> list[str]:
    """``output_media_types`` for a call that writes to this file; empty = the model's choice."""
    if to is None or not to.suffix:
        return []
    try:
        described = await client.model(model).describe()
    except MediaConduitError:
        return []  # the call itself says it better
    found = wanted_type(to, described.output_media_types)
    return [found] if found else []
