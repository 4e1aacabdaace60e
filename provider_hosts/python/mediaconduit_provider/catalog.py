"""The models of a provider, by name."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from typing import Final

from mediaconduit.errors import InvalidRequestError, NotFoundError, PreconditionError, Reason
from mediaconduit.v1 import models_pb2

from mediaconduit_provider.options import OptionsSchema
from mediaconduit_provider.provider import Model, Provider

_CAPABILITY: Final = re.compile(r"(text|image|audio|video|3d)-to-(text|image|audio|video|3d|embedding|scores)")

_UNLISTED: Final = 1000
"""Models that are remembered beside those listed: callers may name what they like."""


class ModelError(ValueError):
    """An author described a model in a way that cannot be."""


class Entry:
    """A model and what the host works out about it."""

    __slots__ = ("model", "name", "schema")

    def __init__(self, name: str, model: Model) -> None:
        for capability in model.capabilities:
            if not _CAPABILITY.fullmatch(capability):
                raise ModelError(f"model {model.id!r}: {capability!r} is not a capability like 'text-to-audio'")
        self.name = name
        self.model = model
        try:
            self.schema = OptionsSchema(model)
        except ValueError as error:
            raise ModelError(str(error)) from error

    def to_proto(self, *, with_schema: bool = False) -> models_pb2.Model:
        """As the contract has it; the schema of options only on demand."""
        model = self.model
        proto = models_pb2.Model(
            name=self.name,
            display_name=model.display_name or model.id,
            description=model.description,
            capabilities=model.capabilities,
            output_media_types=model.output_media_types,
            context_tokens=model.context_tokens,
            max_output_tokens=model.max_output_tokens,
            features=model.features,
            state=model.state,
            canonical_id=model.canonical_id,
        )
        for spec in model.inputs:
            proto.inputs.add(
                name=spec.name,
                media_types=spec.media_types,
                required=spec.required,
                max_bytes=spec.max_bytes,
                max_count=spec.max_count,
            )
        if model.pricing is not None:
            proto.pricing.CopyFrom(model.pricing)
        for day, field in ((model.released, proto.release_time), (model.retires, proto.retire_time)):
            if day is not None:
                # A naive time is meant in UTC.
                field.FromDatetime(day)
        if with_schema:
            proto.options_schema = json.dumps(self.schema.document)
        return proto


class Catalog:
    """Asks the provider for its models and finds them by name."""

    def __init__(self, provider: Provider, provider_id: str) -> None:
        self._provider = provider
        self._prefix = f"providers/{provider_id}/models/"
        self.provider_id = provider_id
        self._entries: dict[str, Entry] = {}
        self._unlisted: dict[str, Entry] = {}
        """Found by `Provider.find_model` since the last list."""
        self._listed: Sequence[Model] | None = None
        self.refresh_time = 0.0
        """Unix time at which the provider last gave a new list; 0 = never."""

    @property
    def provisional(self) -> bool:
        """Whether the vendor has still to say what there is."""
        return self._provider.models_provisional

    @property
    def entries(self) -> Sequence[Entry]:
        """As last listed."""
        return list(self._entries.values())

    @property
    def capabilities(self) -> list[str]:
        """Everything any of the models known now can do."""
        models = [entry.model for entry in self._entries.values()] or self._provider.models
        return sorted({capability for model in models for capability in model.capabilities})

    async def list(self, *, refresh: bool = False) -> Sequence[Entry]:
        """Asks the provider, which answers from its cache unless `refresh` is set."""
        models = await self._provider.list_models(refresh=refresh)
        if models is not self._listed or refresh:
            self._entries = self._indexed(models)
            self._unlisted = {}
            self._listed = models
            self.refresh_time = time.time()
        return self.entries

    def _indexed(self, models: Sequence[Model]) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        for model in models:
            if not model.id or model.id in entries:
                raise ModelError(f"model id {model.id!r} is empty or there twice")
            entries[model.id] = self._entry(model)
        return entries

    def _entry(self, model: Model) -> Entry:
        if "live" in model.features and type(self._provider).live is Provider.live:
            raise ModelError(f"model {model.id!r} has the feature 'live' but live() is not overridden")
        return Entry(self._prefix + model.id, model)

    def forget(self) -> None:
        """Asks the provider again at the next unknown name: what it has may depend on its settings."""
        self._listed = None
        self._entries = {}
        self._unlisted = {}

    async def find(self, name: str) -> Entry:
        """The model of that name. Raises `NotFoundError` with the nearest ones."""
        if not name:
            raise InvalidRequestError.at("model", "no model is named", hint=f"name one like {self._prefix}<model>")
        model_id = self._id_of(name)
        entry = self._entries.get(model_id) or await self._find_unlisted(model_id)
        if entry is None:
            await self.list()
            entry = self._entries.get(model_id)
        if entry is None:
            raise self._unknown(name, model_id)
        return entry

    async def _find_unlisted(self, model_id: str) -> Entry | None:
        entry = self._unlisted.get(model_id)
        if entry is None and (model := await self._provider.find_model(model_id)) is not None:
            if len(self._unlisted) >= _UNLISTED:
                self._unlisted.clear()
            entry = self._unlisted[model_id] = self._entry(model)
        return entry

    async def choose(self, name: str, capability: str) -> tuple[Entry, str]:
        """The model and the capability that a request means.

        Raises:
            NotFoundError: There is no such model.
            PreconditionError: The model cannot do it.
            InvalidRequestError: The request leaves open which model or which of several capabilities is meant.
        """
        if not name and capability:
            able = [entry for entry in await self.list() if capability in entry.model.capabilities]
            if len(able) == 1:
                return able[0], capability
        entry = await self.find(name)
        available = list(entry.model.capabilities)
        if not capability:
            return entry, available[0] if available else ""
        if capability not in available:
            raise PreconditionError(
                f"{entry.name} does not do {capability}",
                reason=Reason.CAPABILITY_UNSUPPORTED,
                hint=f"it does {', '.join(available)}",
                metadata={"capability": capability, "available": ",".join(available)},
            )
        return entry, capability

    def _id_of(self, name: str) -> str:
        if name.startswith(self._prefix):
            return name[len(self._prefix) :]
        if name.startswith("providers/"):
            raise NotFoundError(
                f"{name} is not a model of provider {self.provider_id}",
                reason=Reason.MODEL_NOT_FOUND,
                hint=f"its models begin with {self._prefix}",
                metadata={"model": name, "suggestions": ""},
            )
        if name in self._entries:
            return name
        provider, slash, rest = name.partition("/")
        return rest if slash and provider == self.provider_id else name

    def _unknown(self, name: str, model_id: str) -> NotFoundError:
        from difflib import get_close_matches

        near = get_close_matches(model_id, list(self._entries), n=3, cutoff=0.4)
        names = [self._prefix + found for found in near]
        hint = f"did you mean {' or '.join(names)}?" if names else "ListModels gives what there is"
        if not self._entries and (settings := self._provider.settings_schema.get("properties")):
            hint = f"the provider has no models yet; configure it first, its settings are {', '.join(settings)}"
        return NotFoundError(
            f"there is no model {name}",
            reason=Reason.MODEL_NOT_FOUND,
            hint=hint,
            metadata={"model": name, "suggestions": ",".join(names)},
        )
