"""What it offers, and whether it says so consistently."""

from __future__ import annotations

from typing import Final

import jsonschema_rs
from mediaconduit.v1 import models_pb2
from mediaconduit.v1.options_pb2 import TransformOptions

from mediaconduit_broker.conformance import options
from mediaconduit_broker.conformance.bench import Bench
from mediaconduit_broker.conformance.check import check, require
from mediaconduit_broker.manifest.schema import CAPABILITIES

_MANY: Final = 50
"""More models than this are not all asked for one by one."""


@check(
    "models",
    demand='ListModels gives at least one model, names like "providers/{id}/models/{model}" and each once, the same '
    "ones page by page, and only those that have the capability asked for.",
    advice="Give page_size models and a next_page_token until none are left, and leave the last token empty. A "
    "provider that has no models before it is configured is tested with --set.",
)
async def models(bench: Bench) -> str:
    """What is listed can be called."""
    whole = await bench.listed()
    require(whole, "it has no models")
    names = [model.name for model in whole]
    prefix = bench.subject.prefix
    for name in names:
        require(name.startswith(prefix) and name != prefix, f"a model is called {name!r}; names begin with {prefix}")
        require(names.count(name) == 1, f"{name} is listed {names.count(name)} times")
    size = 1 if len(names) <= _MANY else len(names) // 10
    paged = [model.name for model in await bench.listed(page_size=size)]
    require(paged == names, f"pages of {size} hold other models than the whole list: {_difference(names, paged)}")
    for capability in (*sorted({c for model in whole for c in model.capabilities}), "no-such-capability"):
        wanted = [model.name for model in whole if capability in model.capabilities]
        found = [model.name for model in await bench.listed(capability=capability)]
        require(found == wanted, f"asked for {capability} it lists other models: {_difference(wanted, found)}")
    return f"{len(names)} models"


@check(
    "capabilities",
    demand="Describe.capabilities are those of its models together, and are all capabilities of the contract.",
    advice="Work Describe.capabilities out from the models; a capability is two kinds of media with -to- between.",
)
async def capabilities(bench: Bench) -> str:
    """A caller chooses by them."""
    said = set((await (await bench.sidecar()).describe()).capabilities)
    had = {capability for model in await bench.listed() for capability in model.capabilities}
    require(said == had, f"Describe says {_list(said)}; its models have {_list(had)}")
    unknown = said - set(CAPABILITIES)
    require(not unknown, f"{_list(unknown)} is no capability of the contract")
    return _list(said)


@check(
    "manifest",
    demand="What the manifest promises is there: every capability, and every model that it lists by id.",
    advice="Correct the manifest where it promises what is not there. A provider whose models depend on its settings "
    "is tested with --set.",
)
async def manifest(bench: Bench) -> str:
    """Catalogs show the manifest; nobody has run the provider by then."""
    stated = bench.subject.manifest
    listed = await bench.listed()
    had = {capability for model in listed for capability in model.capabilities}
    promised = set(stated.capabilities)
    seen = f"its models have {_list(had)}"
    require(promised <= had, f"the manifest promises {_list(promised - had)}, which no model has; {seen}")
    ids = {model.name.removeprefix(bench.subject.prefix) for model in listed}
    missing = set(stated.models) - ids
    require(not missing, f"the manifest lists models that are not there: {_list(missing)}; there are {_list(ids)}")
    more = f"; there are also {_list(had - promised)}" if had - promised else ""
    odd = f"; {len(stated.warnings)} odd: {'; '.join(stated.warnings)}" if stated.warnings else ""
    return f"promised and seen: {_list(promised)}{more}{odd}"


@check(
    "model",
    demand="GetModel gives what ListModels gave, and an options_schema that is a JSON Schema of TransformOptions.",
    advice="options_schema is JSON text; its properties have the names of TransformOptions, and what only this model "
    'knows is below "extra".',
)
async def model(bench: Bench) -> str:
    """Forms are made from the schema."""
    listed = await bench.listed()
    for entry in listed[:_MANY]:
        found = await bench.model(entry.name)
        require(_same(entry, found), f"GetModel({entry.name}) gives another model than ListModels")
        schema = options.parse(found.options_schema)
        require(
            schema is not None and jsonschema_rs.meta.is_valid(schema), f"the schema of {entry.name} is no JSON Schema"
        )
        strange = set((schema or {}).get("properties", {})) - set(TransformOptions.DESCRIPTOR.fields_by_name)
        require(not strange, f"the schema of {entry.name} has {_list(strange)}, which TransformOptions has not")
    more = f", {len(listed) - _MANY} more not looked at" if len(listed) > _MANY else ""
    return f"{min(len(listed), _MANY)} models{more}"


def _same(listed: models_pb2.Model, found: models_pb2.Model) -> bool:
    plain = models_pb2.Model()
    plain.CopyFrom(found)
    plain.options_schema = listed.options_schema
    return plain == listed


def _difference(wanted: list[str], found: list[str]) -> str:
    missing, extra = set(wanted) - set(found), set(found) - set(wanted)
    if not missing and not extra:
        return "in another order or several times"
    return "; ".join(
        f"{what} {', '.join(sorted(names)[:3])}" for what, names in (("without", missing), ("with", extra)) if names
    )


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
