"""Options of a call under a vendor's names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from mediaconduit_provider import Call, InvalidRequestError, Notice

Schema = Mapping[str, Any]
"""JSON Schema of an option."""


def without(options: Mapping[str, Schema], *paths: str) -> dict[str, Schema]:
    """Options a vendor lacks taken away."""
    return {path: schema for path, schema in options.items() if path not in paths}


def passed_on(call: Call, fields: Mapping[str, str], *, without: Collection[str] = ()) -> dict[str, Any]:
    """The options of a call under the vendor's names, and its own under theirs; absent ones stay absent.

    Args:
        call: Whose.
        fields: The vendor's names of the shared ones.
        without: Paths of those that are left out.
    """
    request = {
        name: value for path, name in fields.items() if path not in without and (value := call.option(path)) is not None
    }
    for path in call.model.options:
        if path.startswith("extra.") and path not in without and (value := call.option(path)) is not None:
            place(request, path.removeprefix("extra."), value)
    return request


def foreign_options(call: Call, operation: object) -> list[str]:
    """Paths of the options given that only other operations of the model take.

    A model has the options of all its operations; which of them one takes is in its ``options``. An operation that
    chooses between several has the options of all of those.
    """
    operations = {id(other): other for other in getattr(call.model, "operations", {}).values()}
    if operations.keys() == {id(operation)}:
        return []
    own: Collection[str] = getattr(operation, "options", ())
    others = {path for other in operations.values() for path in getattr(other, "options", ())}
    return sorted(path for path in others if path not in own and call.option(path) is not None)


def refused(call: Call, paths: Iterable[str], why: str) -> Iterator[Notice]:
    """Options that are given and not taken: an error, or a notice each where the caller is lenient.

    Args:
        call: Whose.
        paths: Of those that are given.
        why: "is not taken for text-to-image".

    Raises:
        InvalidRequestError: There is one, and the caller is not lenient.
    """
    for path in paths:
        if not call.options.lenient:
            raise InvalidRequestError.at(f"options.{path}", why)
        yield Notice(code="OPTION_DROPPED", message=f"options.{path} {why}")


def place(request: dict[str, Any], path: str, value: Any) -> None:
    """Sets a value at a path of names ("provider.order")."""
    *groups, name = path.split(".")
    for group in groups:
        request = request.setdefault(group, {})
    request[name] = value


def paths_by_field(fields: Mapping[str, str]) -> dict[str, str]:
    """Paths in our request by the vendor's names, for errors."""
    return {name: f"options.{path}" for path, name in fields.items()} | {"messages": "turns", "model": "model"}
