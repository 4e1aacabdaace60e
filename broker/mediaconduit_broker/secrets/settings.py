"""Secrets within a provider's settings: values its schema marks ``writeOnly``, and texts that stand for a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mediaconduit_broker.secrets.secret import Secret

_REFERENCE: Final = re.compile(r"secret:([A-Za-z_][A-Za-z0-9_]*)")
_DEEPEST: Final = 32
"""Levels of a schema that are looked into; one may refer to itself."""
_GONE: Final = object()

Schema = Mapping[str, Any]


def references(settings: Any) -> Iterator[str]:
    """Names of the secrets that texts of the form ``secret:NAME`` stand for."""
    if isinstance(settings, str):
        if found := _REFERENCE.fullmatch(settings):
            yield found[1]
    elif isinstance(settings, Mapping):
        for value in settings.values():
            yield from references(value)
    elif isinstance(settings, Sequence):
        for value in settings:
            yield from references(value)


def resolve(settings: Mapping[str, Any], secrets: Mapping[str, Secret]) -> dict[str, Any]:
    """The settings with secrets in place of what stands for them. Where one is missing, its setting is left out."""
    resolved: dict[str, Any] = _resolve(settings, secrets)
    return resolved


def withhold(schema: Schema, settings: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The settings without the values that are secret, and where those were ("key", "account.token").

    What only stands for a secret stays.
    """
    found: list[tuple[str, Any]] = []
    kept = _withhold([schema], settings, schema, "", found)
    return (kept if isinstance(kept, dict) else {}), tuple(path for path, _ in found)


def private_values(schema: Schema, settings: Mapping[str, Any]) -> list[Secret]:
    """All texts in the values that are secret."""
    found: list[tuple[str, Any]] = []
    _withhold([schema], settings, schema, "", found)
    return [Secret(text, "settings") for _, value in found for text in _texts(value)]


def _resolve(value: Any, secrets: Mapping[str, Secret]) -> Any:
    if isinstance(value, str):
        if not (found := _REFERENCE.fullmatch(value)):
            return value
        return secrets[found[1]].reveal() if found[1] in secrets else _GONE
    if isinstance(value, Mapping):
        resolved = {key: _resolve(inner, secrets) for key, inner in value.items()}
        return {key: inner for key, inner in resolved.items() if inner is not _GONE}
    if isinstance(value, list):
        return [inner for item in value if (inner := _resolve(item, secrets)) is not _GONE]
    return value


def _withhold(schemas: Sequence[Schema], value: Any, root: Schema, path: str, found: list[tuple[str, Any]]) -> Any:
    """The value as it may be kept, or `_GONE`; what is secret is added to `found`, with its path."""
    applicable = [part for schema in schemas for part in _expanded(schema, root, 0)]
    if any(schema.get("writeOnly") is True for schema in applicable):
        if isinstance(value, str) and _REFERENCE.fullmatch(value):
            return value
        found.append((path, value))
        return _GONE
    if isinstance(value, Mapping):
        pairs = (
            (key, _withhold(_below(applicable, key), inner, root, f"{path}.{key}".lstrip("."), found))
            for key, inner in value.items()
        )
        return {key: inner for key, inner in pairs if inner is not _GONE}
    if isinstance(value, list):
        items = [schema["items"] for schema in applicable if isinstance(schema.get("items"), Mapping)]
        kept = (_withhold(items, inner, root, f"{path}.{index}", found) for index, inner in enumerate(value))
        return [inner for inner in kept if inner is not _GONE]
    return value


def _below(schemas: Sequence[Schema], key: str) -> list[Schema]:
    found = []
    for schema in schemas:
        inner = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
        patterns = schema.get("patternProperties", {})
        found += [inner, *(sub for pattern, sub in patterns.items() if re.search(pattern, key))]
    return [schema for schema in found if isinstance(schema, Mapping)]


def _expanded(schema: Schema, root: Schema, depth: int) -> Iterator[Schema]:
    """The schema and those it is made of."""
    if depth > _DEEPEST:
        return
    yield schema
    parts = [part for word in ("allOf", "anyOf", "oneOf") for part in schema.get(word, ())]
    parts += [schema[word] for word in ("then", "else") if word in schema]
    if isinstance(schema.get("$ref"), str):
        parts.append(_referred(schema["$ref"], root))
    for part in parts:
        if isinstance(part, Mapping):
            yield from _expanded(part, root, depth + 1)


def _referred(reference: str, root: Schema) -> Any:
    found: Any = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        if part:
            found = found.get(part, {}) if isinstance(found, Mapping) else {}
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield str(value)
