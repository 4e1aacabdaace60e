"""Which options a model takes, and whether those of a request are among them and in range."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from mediaconduit.errors import FieldViolation, InvalidRequestError
from mediaconduit.v1.events_pb2 import Notice
from mediaconduit.v1.options_pb2 import TransformOptions

from mediaconduit_provider.provider import Model, Schema
from mediaconduit_provider.schemas import Checker
from mediaconduit_provider.values import to_plain

_FOR_THE_HOST: Final = frozenset({"lenient", "outputs_by_reference", "output_media_types"})
"""Fields of TransformOptions that are not options of a model."""


class OptionsSchema:
    """The options of one model. Raises `ValueError` for a path that no option has."""

    def __init__(self, model: Model) -> None:
        self._model_id = model.id
        self._declared: dict[str, Schema] = dict(model.options)
        self._groups: set[str] = set()
        for path in self._declared:
            _check_path(model.id, path)
            steps = path.split(".")
            self._groups.update(".".join(steps[:depth]) for depth in range(1, len(steps)))
        if both := self._groups & set(self._declared):
            raise ValueError(f"model {model.id!r}: options {sorted(both)} are declared whole and in parts")
        self._checker: Checker | None = None

    @property
    def document(self) -> dict[str, Any]:
        """The JSON Schema of all options."""
        root: dict[str, Any] = _group()
        for path, schema in self._declared.items():
            node = root
            *groups, name = path.split(".")
            for group in groups:
                node = node["properties"].setdefault(group, _group())
            node["properties"][name] = dict(schema)
        return root

    def default(self, path: str) -> Any:
        """What the schema says an absent option means; None without."""
        return self._declared.get(path, {}).get("default")

    def check(self, options: TransformOptions) -> tuple[TransformOptions, dict[str, Any], list[Notice]]:
        """The options in force, the same as plain values, and notices of those that were dropped.

        Raises `InvalidRequestError` naming every option that the model does not have or whose value it does not take.
        """
        values = {name: value for name, value in to_plain(options).items() if name not in _FOR_THE_HOST}
        if values.get("candidates") == 1:
            del values["candidates"]
        if not values:
            return options, values, []
        unknown = list(self._unknown(values, ""))
        if unknown and not options.lenient:
            raise _refusal([FieldViolation(f"options.{path}", self._not_had()) for path in unknown])
        if unknown:
            kept = TransformOptions()
            kept.CopyFrom(options)
            options = kept
            for path in unknown:
                _clear(options, path)
                _drop(values, path)
        self._prune(values, "")
        self._check_values(values)
        return options, values, [_dropped(path) for path in unknown]

    def _check_values(self, values: dict[str, Any]) -> None:
        if not values:
            return
        if self._checker is None:
            self._checker = Checker(self.document)
        if violations := self._checker.violations(values, "options"):
            raise _refusal(violations)

    def _unknown(self, values: dict[str, Any], prefix: str) -> Iterator[str]:
        for name, value in values.items():
            path = prefix + name
            if path in self._declared:
                continue
            if path not in self._groups:
                yield from _leaves(value, path)
            elif isinstance(value, dict):
                yield from self._unknown(value, path + ".")

    def _prune(self, values: dict[str, Any], prefix: str) -> None:
        """Takes out groups that hold nothing: absent and empty are the same."""
        for name in list(values):
            path, value = prefix + name, values[name]
            if path not in self._declared and isinstance(value, dict):
                self._prune(value, path + ".")
                if not value:
                    del values[name]

    def _not_had(self) -> str:
        if not self._declared:
            return "the model has no options"
        return f"the model does not have this option; it has {', '.join(sorted(self._declared))}"


def option_at(values: dict[str, Any], path: str) -> Any:
    """The value at a path; None when absent."""
    node: Any = values
    for step in path.split("."):
        if not isinstance(node, dict) or step not in node:
            return None
        node = node[step]
    return node


def _group() -> dict[str, Any]:
    return {"type": "object", "properties": {}, "additionalProperties": False}


def _leaves(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict) and "." not in path:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}")
    else:
        yield path


def _check_path(model_id: str, path: str) -> None:
    first = path.partition(".")[0]
    if first == "extra":
        return
    descriptor: Any = TransformOptions.DESCRIPTOR
    for step in path.split("."):
        fields = descriptor.fields_by_name if descriptor is not None else {}
        if step not in fields or (descriptor is TransformOptions.DESCRIPTOR and first in _FOR_THE_HOST):
            raise ValueError(f"model {model_id!r}: there is no shared option {path!r}; its own begin with 'extra.'")
        descriptor = fields[step].message_type


def _refusal(violations: Iterable[FieldViolation]) -> InvalidRequestError:
    fields = list(violations)
    more = f" (and {len(fields) - 1} more)" if len(fields) > 1 else ""
    return InvalidRequestError(
        f"{fields[0].field}: {fields[0].description}{more}",
        fields=fields,
        hint="GetModel gives the schema of the options; lenient drops options that a model does not have",
    )


def _clear(options: TransformOptions, path: str) -> None:
    node: Message = options
    *groups, name = path.split(".")
    for position, group in enumerate(groups):
        node = getattr(node, group)
        if isinstance(node, Struct):
            inner: Any = node
            for step in groups[position + 1 :]:
                inner = inner[step]
            del inner[name]
            return
    node.ClearField(name)


def _drop(values: dict[str, Any], path: str) -> None:
    *groups, name = path.split(".")
    node = values
    for group in groups:
        node = node[group]
    del node[name]


def _dropped(path: str) -> Notice:
    return Notice(code="OPTION_DROPPED", message=f"the model does not have options.{path}; it was dropped")
