"""Which provider serves a request: a pure function over a snapshot of what there is."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mediaconduit.errors import InvalidRequestError, MediaConduitError, NotFoundError, PreconditionError, Reason


@dataclass(frozen=True, slots=True)
class ModelView:
    """What routing knows of a model."""

    model_id: str
    capabilities: frozenset[str]


@dataclass(frozen=True, slots=True)
class ProviderView:
    """What routing knows of a provider."""

    provider_id: str
    models: tuple[ModelView, ...] = ()
    available: bool = True
    """False when it FAILED; it is then chosen only by name."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All providers at one moment."""

    providers: Mapping[str, ProviderView] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes."""

    provider_id: str
    model_id: str

    @property
    def model(self) -> str:
        """Resource name of the model."""
        return f"providers/{self.provider_id}/models/{self.model_id}"


def resolve(snapshot: Snapshot, model: str, capability: str = "") -> Route:
    """The route of a request.

    Tried in this order: a resource name, "{provider}/{model}" of a known provider, an alias, a model id that only one
    provider has, and, with no model named, the first model that has the capability. Whether a named provider has the
    model is the provider's to say: it may know models it does not list.

    Raises:
        NotFoundError: MODEL_NOT_FOUND or PROVIDER_NOT_FOUND, with the nearest names.
        InvalidRequestError: Neither model nor capability; or several providers have the model.
        PreconditionError: CAPABILITY_UNSUPPORTED: nobody has it.
    """
    if not model:
        return _by_capability(snapshot, capability)
    if route := _by_name(snapshot, model):
        return route
    if model in snapshot.aliases:
        if route := _by_name(snapshot, snapshot.aliases[model]):
            return route
        raise _unknown(snapshot, snapshot.aliases[model])
    owners = [p for p in snapshot.providers.values() if any(m.model_id == model for m in p.models)]
    if len(owners) == 1:
        return Route(owners[0].provider_id, model)
    if owners:
        names = [f"{owner.provider_id}/{model}" for owner in owners]
        raise InvalidRequestError.at("model", f"{model!r} is ambiguous", hint=f"name one of {', '.join(names)}")
    raise _unknown(snapshot, model)


def _by_name(snapshot: Snapshot, name: str) -> Route | None:
    if name.startswith("providers/"):
        _, provider_id, *rest = name.split("/", 3)
        if provider_id not in snapshot.providers:
            raise _unknown_provider(snapshot, provider_id)
        if len(rest) == 2 and rest[0] == "models" and rest[1]:
            return Route(provider_id, rest[1])
        raise InvalidRequestError.at(
            "model", f"{name!r} is no name", hint='write "providers/{provider}/models/{model}"'
        )
    provider_id, slash, model_id = name.partition("/")
    if slash and model_id and provider_id in snapshot.providers:
        return Route(provider_id, model_id)
    return None


def _by_capability(snapshot: Snapshot, capability: str) -> Route:
    if not capability:
        raise InvalidRequestError.at("model", "no model is named", hint="name a model, or a capability to choose by")
    for provider in snapshot.providers.values():
        for model in provider.models if provider.available else ():
            if capability in model.capabilities:
                return Route(provider.provider_id, model.model_id)
    available = sorted({c for p in snapshot.providers.values() for m in p.models for c in m.capabilities})
    raise PreconditionError(
        f"no provider does {capability}",
        metadata={"capability": capability, "available": ",".join(available)},
        hint="add a provider that does: `mediaconduit provider add SOURCE`",
    )


def _unknown(snapshot: Snapshot, model: str) -> MediaConduitError:
    near = difflib.get_close_matches(model, list(_names(snapshot)), n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "`mediaconduit models` lists all models"
    provider_id, slash, _ = model.partition("/")
    if slash and not near:
        return _unknown_provider(snapshot, provider_id)
    return NotFoundError(
        f"there is no model {model!r}",
        reason=Reason.MODEL_NOT_FOUND,
        hint=hint,
        metadata={"model": model, "suggestions": ",".join(near)},
    )


def _unknown_provider(snapshot: Snapshot, provider_id: str) -> NotFoundError:
    near = difflib.get_close_matches(provider_id, list(snapshot.providers), n=3)
    return provider_not_found(provider_id, near)


def provider_not_found(provider_id: str, near: list[str]) -> NotFoundError:
    """The error for a provider that is not there."""
    hint = f"did you mean {' or '.join(near)}?" if near else "`mediaconduit provider add SOURCE` adds one"
    return NotFoundError(
        f"there is no provider {provider_id!r}",
        reason=Reason.PROVIDER_NOT_FOUND,
        hint=hint,
        metadata={"provider": provider_id, "suggestions": ",".join(near)},
    )


def _names(snapshot: Snapshot) -> Iterator[str]:
    for provider in snapshot.providers.values():
        for model in provider.models:
            yield f"{provider.provider_id}/{model.model_id}"
            yield model.model_id
    yield from snapshot.aliases
