"""Schemas of OpenAPI 3.0 and 3.1 as JSON Schema that refuses what it should.

`nullable` and `discriminator` mean nothing to validators of JSON Schema, and a `$ref` of 3.0 silences what stands
beside it: left as they are, bad bodies pass and good ones do not. `oneOf` is read as `anyOf`: vendors write unions with
it whose members overlap (a message without its optional tag is two kinds of item at once in OpenAI's).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import unquote

Document: TypeAlias = Mapping[str, Any]
TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})
SCHEMA_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
SCHEMA_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
SCHEMAS = ("items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else")
DEPTH = 20
"""How far references and alternatives are followed: some refer to themselves."""
BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
PLAIN = frozenset(
    "type enum const required minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern "
    "minItems maxItems uniqueItems minProperties maxProperties".split()
)


class Schemas:
    """Makes self-contained schemas from those of one document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.version_3_0 = str(document.get("openapi", "")).startswith("3.0")

    def resolve(self, reference: str) -> Any:
        """What "#/components/schemas/A" points to. Raises KeyError."""
        found: Any = self.document
        for step in reference.removeprefix("#").split("/")[1:]:
            name = unquote(step.replace("~1", "/").replace("~0", "~"))
            found = found[int(name)] if isinstance(found, list) else found[name]
        return found

    def followed(self, value: Any) -> Any:
        """The value itself, where it is a reference to one."""
        while isinstance(value, Mapping) and isinstance(value.get("$ref"), str):
            value = self.resolve(value["$ref"])
        return value

    def standalone(self, schema: Any) -> dict[str, Any]:
        """The schema with all it refers to below "$defs"."""
        made = _Made(self)
        root = made.schema(schema)
        made.finish()
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [root], "$defs": made.definitions}


class _Made:
    """One schema under construction."""

    def __init__(self, schemas: Schemas) -> None:
        self.definitions: dict[str, Any] = {}
        self._schemas = schemas
        self._names: dict[str, str] = {}
        self._waiting: list[str] = []

    def finish(self) -> None:
        while self._waiting:
            reference = self._waiting.pop()
            self.definitions[self._names[reference]] = self.schema(self._schemas.resolve(reference))

    def schema(self, schema: Any) -> Any:
        if not isinstance(schema, Mapping):
            return schema
        if "$ref" in schema and (self._schemas.version_3_0 or len(schema) == 1):
            made: Any = {"$ref": self._reference(schema["$ref"])}
        else:
            made = self._plain(schema)
            self._nested(schema, made)
            if "$ref" in schema:
                made = {"allOf": [{"$ref": self._reference(schema["$ref"])}, made]}
        return _or_null(made) if schema.get("nullable") is True else made

    def _reference(self, reference: str) -> str:
        if reference not in self._names:
            self._names[reference] = f"{len(self._names)}"
            self._waiting.append(reference)
        return f"#/$defs/{self._names[reference]}"

    def _plain(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        made = {key: value for key, value in schema.items() if key in PLAIN}
        types = [made["type"]] if isinstance(made.get("type"), str) else made.get("type", [])
        if not set(types) <= TYPES:
            del made["type"]  # "file" and other inventions
        if not isinstance(made.get("required", []), list):
            del made["required"]  # draft 3's boolean
        for bound in BOUNDS & made.keys():
            if isinstance(made[bound], str):
                made[bound] = float(made[bound])  # YAML 1.1 takes "1e-08" for a text
        for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            # Draft 4's, which is OpenAPI 3.0's.
            if isinstance(made.get(exclusive), bool) and made.pop(exclusive) and bound in made:
                made[exclusive] = made.pop(bound)
        return made

    def _nested(self, schema: Mapping[str, Any], made: dict[str, Any]) -> None:
        for key in SCHEMA_MAPS:
            if isinstance(found := schema.get(key), Mapping):
                made[key] = {name: self.schema(value) for name, value in found.items()}
        for key in SCHEMA_LISTS:
            if isinstance(found := schema.get(key), Sequence):
                made[key] = [self.schema(value) for value in found]
        for key in SCHEMAS:
            if key in schema:
                made[key] = self.schema(schema[key])
        self._union(schema, made)

    def _union(self, schema: Mapping[str, Any], made: dict[str, Any]) -> None:
        """Its variants, told apart by their tag where it says how."""
        variants = made.pop("oneOf", None)
        discriminator = schema.get("discriminator") or {}
        if discriminator.get("mapping") and (variants := variants or made.pop("anyOf", None)):
            made.setdefault("allOf", []).append(self._discriminated(discriminator, variants))
        elif variants:
            made.setdefault("allOf", []).append({"anyOf": variants})

    def _discriminated(self, discriminator: Mapping[str, Any], variants: list[Any]) -> Any:
        """One of the variants, as the tag says; whether it may be left out is the variant's own to say."""
        tag, tagged = discriminator["propertyName"], []
        by_reference: dict[str, list[str]] = {}
        for value, target in discriminator["mapping"].items():
            name = target if target.startswith("#") else f"#/components/schemas/{target}"
            by_reference.setdefault(self._reference(name), []).append(value)
        for variant in variants:
            values = by_reference.get(variant.get("$ref", ""))
            if values is None:
                return {"anyOf": variants}  # a variant without a tag of its own: null, or a mapping that is incomplete
            tagged.append({"allOf": [variant], "properties": {tag: {"enum": values}}})
        return {"anyOf": tagged}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def unknown_keys(schema: Mapping[str, Any], value: Any, path: str = "") -> list[str]:
    """Paths of members that the schema knows no property for, though it names some beside them.

    Validators let such members pass, where vendors refuse or, worse, ignore them. A member counts as known when any
    alternative has it.
    """
    return _unknown(schema, [schema], value, path)


def _unknown(root: Mapping[str, Any], schemas: Sequence[Any], value: Any, path: str) -> list[str]:
    meant = alternatives(root, schemas, value)
    if isinstance(value, Mapping):
        return [found for name, member in value.items() for found in _member(root, meant, name, member, path)]
    if isinstance(value, list):
        items = [schema["items"] for schema in meant if isinstance(schema.get("items"), Mapping)]
        return [found for n, item in enumerate(value) for found in _unknown(root, items, item, f"{path}[{n}]")]
    return []


def _member(root: Mapping[str, Any], meant: Sequence[Any], name: str, value: Any, path: str) -> list[str]:
    where = f"{path}.{name}" if path else name
    listing = [schema["properties"] for schema in meant if "properties" in schema]
    found = [properties[name] for properties in listing if name in properties]
    if not found and listing and not any(_open(schema) for schema in meant):
        return [where]
    others = [s["additionalProperties"] for s in meant if isinstance(s.get("additionalProperties"), Mapping)]
    return _unknown(root, found or others, value, where)


def _open(schema: Mapping[str, Any]) -> bool:
    """Whether it says that there may be other members."""
    more = schema.get("additionalProperties")
    return more is True or isinstance(more, Mapping) or "patternProperties" in schema


def alternatives(root: Mapping[str, Any], schemas: Sequence[Any], value: Any = None, depth: int = 0) -> list[Any]:
    """The schemas and all their parts, without variants that the value's tags rule out."""
    found: list[Any] = []
    for schema in schemas:
        if not isinstance(schema, Mapping) or depth > DEPTH:
            continue
        found.append(schema)
        inner = [part for key in ("anyOf", "oneOf") for part in schema.get(key, ()) if _tags_fit(root, part, value)]
        found += alternatives(root, [*inner, *_parts(root, schema)], value, depth + 1)
    return found


def _parts(root: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Any]:
    """What holds of a value together with the schema."""
    referred = [root["$defs"][schema["$ref"].rpartition("/")[2]]] if "$ref" in schema else []
    return [*schema.get("allOf", ()), *referred]


def _tags_fit(root: Mapping[str, Any], schema: Any, value: Any, depth: int = 0) -> bool:
    """Whether it can be what is meant: a tag ("type", "role") with other values rules it out."""
    if not isinstance(value, Mapping) or not isinstance(schema, Mapping) or depth > DEPTH:
        return True
    for name, wanted in schema.get("properties", {}).items():
        tag = wanted if isinstance(wanted, Mapping) and isinstance(value.get(name), str) else {}
        allowed = [tag["const"]] if "const" in tag else tag.get("enum")
        if isinstance(allowed, list) and value[name] not in allowed:
            return False
    return all(_tags_fit(root, part, value, depth + 1) for part in _parts(root, schema))
