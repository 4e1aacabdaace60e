"""How one model looks: what it takes, what it makes, its options as ``-O`` wants them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from mediaconduit.v1 import models_pb2

from mediaconduit_broker.cli import model_prices, output
from mediaconduit_broker.cli.output import Cell


def show(model: models_pb2.Model, *, as_json: bool) -> None:
    """Everything about a model."""
    if as_json:
        plain = output.plain(model)
        plain["options_schema"] = json.loads(model.options_schema) if model.options_schema else {}
        output.print_json(plain)
        return
    output.facts(
        {
            "name": (model.name, "bold"),
            "title": model.display_name,
            "what": model.description,
            "capabilities": ", ".join(model.capabilities),
            "features": ", ".join(model.features),
            "takes": "\n".join(_input(spec) for spec in model.inputs),
            "makes": ", ".join(model.output_media_types),
            "context": f"{model.context_tokens} tokens" if model.context_tokens else "",
            "output": f"up to {model.max_output_tokens} tokens" if model.max_output_tokens else "",
            "released": _day(model, "release_time"),
            "retires": _day(model, "retire_time"),
            "first output": f"{model.first_output_duration.ToMilliseconds()} ms"
            if model.HasField("first_output_duration")
            else "",
            "price": "\n".join(model_prices.in_full(model)),
        }
    )
    if rows := list(_options(json.loads(model.options_schema or "{}"))):
        output.styled(("", ""))
        output.table(("option", "takes", "default", "what"), rows)


def _day(model: models_pb2.Model, field: Literal["release_time", "retire_time"]) -> str:
    return f"{getattr(model, field).ToDatetime():%Y-%m-%d}" if model.HasField(field) else ""


def _input(spec: models_pb2.InputSpec) -> str:
    facts = [", ".join(spec.media_types) or "anything"]
    facts += ["required"] if spec.required else []
    facts += [f"up to {output.human_bytes(spec.max_bytes)}"] if spec.max_bytes else []
    facts += [f"up to {spec.max_count} of them"] if spec.max_count > 1 else []
    return f"{spec.name}: {'; '.join(facts)}" if spec.name else "; ".join(facts)


def _options(schema: Mapping[str, Any], path: str = "") -> Iterator[list[Cell]]:
    """A row for every option in a schema of nested objects."""
    for name, field in schema.get("properties", {}).items():
        if field.get("properties"):
            yield from _options(field, f"{path}{name}.")
        else:
            default = json.dumps(field["default"], ensure_ascii=False) if "default" in field else ""
            yield [(path + name, "bold"), _allowed(field), default, (field.get("description", ""), "dim")]


def _allowed(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return " | ".join(map(str, field["enum"]))
    kind = field.get("type", "")
    text = " or ".join(kind) if isinstance(kind, list) else str(kind)
    low, high = field.get("minimum", field.get("exclusiveMinimum")), field.get("maximum", field.get("exclusiveMaximum"))
    if low is not None or high is not None:
        text += f" {'' if low is None else low}..{'' if high is None else high}"
    return text
