"""What providers import of the original package, and what the Node host has in its place."""

from __future__ import annotations

from typing import Final

PACKAGE: Final = "@mediaconduit/mediaconduit"
_MODELS: Final = "src/media/models/abstracts/"
_ROLES: Final = "src/media/assets/roles"

DEEP_PATHS: Final = frozenset(
    {
        "src/media/types/provider",
        f"{_MODELS}Model",
        f"{_MODELS}TextToTextModel",
        f"{_MODELS}TextToImageModel",
        f"{_MODELS}TextToAudioModel",
        f"{_MODELS}TextToVideoModel",
        _ROLES,
        f"{_ROLES}/classes/Text",
        f"{_ROLES}/types/metadata",
        "src/media/assets/SmartAssetFactory",
        "src/media/utils/GenerationPromptHelper",
        "src/media/providers/docker/AbstractDockerProvider",
        "src/media/capabilities",
        "src/media/capabilities/interfaces/TextToTextProvider",
    }
)
"""Paths below the package that public providers import, without an ending."""


def deep_path(path: str) -> str:
    """The path below the package of an import of it, without ``.ts``, ``.js`` and ``/index``; empty for the package."""
    inside = path.removeprefix(PACKAGE).strip("/")
    for ending in (".ts", ".js"):
        inside = inside.removesuffix(ending)
    return inside.removesuffix("/index").replace("dist/", "src/", 1)


def is_known(path: str) -> bool:
    """Whether an import of the package leads somewhere."""
    inside = deep_path(path)
    return not inside or inside in DEEP_PATHS or inside.startswith((_MODELS, f"{_ROLES}/"))
