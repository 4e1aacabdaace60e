"""What a manifest may hold, as JSON Schema: the base of both errors and warnings."""

from __future__ import annotations

import itertools
from typing import Any, Final

CAPABILITIES: Final = frozenset(
    f"{source}-to-{target}"
    for source, target in itertools.product(
        ("text", "image", "audio", "video", "3d"),
        ("text", "image", "audio", "video", "3d", "embedding", "scores"),
    )
)

_STRINGS: Final = {"type": "array", "items": {"type": "string"}}
_VARIABLES: Final = {"type": "array", "items": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}}
_COMMAND: Final = {
    "anyOf": [
        {"type": "string", "minLength": 1},
        {"type": "array", "items": {"type": ["string", "number"]}, "minItems": 1},
    ]
}

_CONFORMANCE: Final = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "upstream": _COMMAND,
        "settings": {"type": "object"},
        "models": _STRINGS,
        "secrets": {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
        "samples": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "text": {"type": "string", "minLength": 1},
                    "file": {"type": "string", "minLength": 1},
                    "media_type": {"type": "string", "pattern": "^[^/ ]+/[^/ ]+$"},
                    "options": {"type": "object"},
                },
                "anyOf": [{"required": ["text"]}, {"required": ["file", "media_type"]}, {"required": ["options"]}],
            },
        },
    },
}

SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"},
        "name": {"type": "string", "minLength": 1},
        "description": {"type": "string"},
        "version": {"type": ["string", "number"]},
        "type": {"type": "string"},
        "runtime": {"enum": ["python", "node", "exec", "container"]},
        "entry": {"type": "string", "pattern": r"^[A-Za-z_@.][\w.@/-]*(:[A-Za-z_$][\w$]*)?$"},
        "capabilities": _STRINGS,
        "capability": {"type": "string"},
        "features": {"type": "object", "additionalProperties": _STRINGS},
        "dependencies": {
            "anyOf": [
                {"type": "array", "items": {"type": ["string", "object"]}},
                {"type": "object", "additionalProperties": {"type": ["string", "number", "null"]}},
            ]
        },
        "build": {"type": "array", "items": _COMMAND},
        "command": _COMMAND,
        "environment": _VARIABLES,
        "network": {"type": "boolean"},
        "secrets": _VARIABLES,
        "start_timeout": {"type": "number", "exclusiveMinimum": 0, "maximum": 3600},
        "conformance": _CONFORMANCE,
        "license": {"type": "string"},
        "homepage": {"type": "string"},
        "author": {"type": ["string", "object"]},
        "repository": {"type": ["string", "object"]},
        "models": {"type": ["array", "object"]},
        "tags": _STRINGS,
    },
}
