"""The provider: a server's models, discovered, and what they are told or guessed to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mediaconduit_provider import InvalidRequestError, Model, NotFoundError, Voice, VoiceOrigin
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.openai.compatible import KINDS, CompatibleKinds
from mediaconduit_vendors.provider import VendorModel, VendorProvider, settings_schema
from mediaconduit_vendors.vendor import Vendor

COMPATIBLE = Vendor(
    "openai-compatible",
    "the OpenAI-compatible server",
    "http://localhost:8000/v1",
    key="OPENAI_COMPATIBLE_API_KEY",
    key_required=False,
)
_TOLD = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "kind": {"enum": list(KINDS)},
        "features": {"type": "array", "items": {"type": "string"}},
    },
}


class OpenAICompatible(VendorProvider):
    """A server with OpenAI's API, wherever it is."""

    display_name = "OpenAI-compatible"
    vendor: ClassVar[Vendor] = COMPATIBLE
    settings_schema = settings_schema(
        api_key={"type": "string", "writeOnly": True, "description": "Where the server wants one: 'secret:NAME'."},
        models={
            "type": "object",
            "additionalProperties": _TOLD,
            "description": "What models are, by their ids, where that is not guessed right; also those not listed.",
        },
        options={
            "type": "object",
            "additionalProperties": {"type": "object"},
            "description": "JSON Schemas of further options of the server's, by name; callers give them in `extra`.",
        },
    )

    def __init__(self) -> None:
        super().__init__()
        self._kinds = CompatibleKinds()
        self._listed: Mapping[str, VendorModel] = {}
        self._asked = False

    async def configure(self, settings: Mapping[str, Any]) -> None:
        """Takes settings."""
        await super().configure(settings)
        self._kinds = CompatibleKinds(settings.get("options"))
        self._listed, self._asked = {}, False

    async def discover(self, api: Api) -> Sequence[VendorModel]:
        """The server's models, and those of the settings that it does not list."""
        self._asked = True
        answer, _ = await api.json(Request("GET", "/models"))
        entries = {entry["id"]: entry for entry in entries_of(answer)}
        entries = {**{model_id: {"id": model_id} for model_id in self._told}, **entries}
        found = [self._model(entry) for entry in entries.values()]
        self._listed = {model.id: model for model in found if model is not None}
        return tuple(self._listed.values())

    def known_models(self) -> Sequence[VendorModel]:
        """Those of the settings."""
        found = (self._model({"id": model_id}) for model_id in self._told)
        return [model for model in found if model is not None]

    async def find_model(self, model_id: str) -> Model | None:
        """One that was listed or told of; others are looked for in the server's list first.

        Of a server that does not give its list every name is taken: calls say what is wrong with it.
        """
        if model_id in self._listed:
            return self._listed[model_id]
        if model_id not in self._told and (self._listed or not self._asked):
            return None
        return self._model({"id": model_id})

    async def list_voices(self) -> Sequence[Voice]:
        """The server's voices, where it lists them, as Kokoro and speaches do."""
        try:
            answer, _ = await self.api.json(Request("GET", "/audio/voices"))
        except (InvalidRequestError, NotFoundError):
            return ()
        return voices_of(answer)

    def _model(self, entry: Mapping[str, Any]) -> VendorModel | None:
        return self._kinds.model(entry, self._told.get(entry["id"]), self.listing(entry["id"]))

    @property
    def _told(self) -> Mapping[str, Mapping[str, Any]]:
        return self.settings.get("models", {})

    def _key(self) -> str:
        return self.settings.get("api_key") or super()._key()


def entries_of(answer: Any) -> Sequence[Mapping[str, Any]]:
    """The models of a list, as servers write it: ``{"data": […]}``, ``{"models": […]}``, or plain."""
    found = answer.get("data") or answer.get("models") or () if isinstance(answer, Mapping) else answer or ()
    return [entry for entry in found if isinstance(entry, Mapping) and entry.get("id")]


def voices_of(answer: Any) -> Sequence[Voice]:
    """The voices of a list: names, or objects with an id or a name."""
    found = answer.get("voices") or answer.get("data") or () if isinstance(answer, Mapping) else answer or ()
    entries = [{"id": entry} if isinstance(entry, str) else entry for entry in found]
    return [
        Voice(
            name=str(entry.get("id") or entry.get("voice_id") or entry["name"]),
            display_name=str(entry.get("name") or entry.get("id") or entry.get("voice_id")),
            languages=[entry["language"]] if isinstance(entry.get("language"), str) else (),
            origin=VoiceOrigin.VOICE_ORIGIN_BUILT_IN,
        )
        for entry in entries
        if isinstance(entry, Mapping) and (entry.get("id") or entry.get("voice_id") or entry.get("name"))
    ]
