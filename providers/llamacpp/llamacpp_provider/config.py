"""The settings, checked, as what the engine is to load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mediaconduit_provider import FieldViolation, InvalidRequestError

from llamacpp_provider.header import NO_POOLING, RANK_POOLING, Header, HeaderError, read_header

POOLINGS = ("auto", "none", "mean", "cls", "last")
PATH_HINT = "give the full path of a .gguf file on the machine the provider runs on"

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "model_path": {
            "type": "string",
            "minLength": 1,
            "description": "Full path of a GGUF file; the model is named after the file.",
        },
        "models": {
            "type": "object",
            "propertyNames": {"pattern": "^[^/].*$"},
            "additionalProperties": {"type": "string", "minLength": 1},
            "description": "Several GGUF files: full path by name of the model. Instead of model_path.",
        },
        "context_tokens": {
            "type": "integer",
            "minimum": 0,
            "maximum": 10_000_000,
            "default": 4096,
            "description": "Tokens of input and output of one call; 0 = all the model was trained for.",
        },
        "parallel": {
            "type": "integer",
            "minimum": 1,
            "maximum": 64,
            "default": 2,
            "description": "Calls a model answers at once; each holds memory for context_tokens.",
        },
        "threads": {
            "type": "integer",
            "minimum": 0,
            "maximum": 1024,
            "default": 0,
            "description": "Processor threads; 0 = the engine's choice.",
        },
        "gpu_layers": {
            "type": "integer",
            "minimum": -1,
            "default": -1,
            "description": "Layers kept on a GPU, where the engine was built for one; -1 = as many as fit.",
        },
        "batch_tokens": {
            "type": "integer",
            "minimum": 32,
            "maximum": 65536,
            "default": 512,
            "description": "Input tokens worked on in one step; the most an embedded item may have.",
        },
        "pooling": {
            "enum": list(POOLINGS),
            "default": "auto",
            "description": "How an embedding is made of those of the tokens; auto = as the model says, else mean; "
            "none = no embeddings.",
        },
    },
}


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """One model to load. Equal configurations share an engine."""

    model_id: str
    field: str
    """The setting it comes from, for errors."""
    path: Path
    modified: int
    """When the file was last written, in nanoseconds: another content is another configuration."""
    header: Header
    context_tokens: int
    parallel: int
    threads: int
    gpu_layers: int
    batch_tokens: int
    pooling: str
    """As set, "auto" resolved: "" = the model's own, "none" = no embeddings."""

    @property
    def chats(self) -> bool:
        """A model that says how it pools was made to embed, not to talk."""
        return self.header.pooling in (None, NO_POOLING)

    @property
    def capabilities(self) -> list[str]:
        """What it can do."""
        return [
            *(["text-to-text"] if self.chats else []),
            *(["text-to-embedding"] if self.pooling != "none" else []),
        ]


def read_settings(settings: Mapping[str, Any]) -> list[EngineConfig]:
    """What to load; reads the beginning of each file.

    Raises:
        InvalidRequestError: Names every setting that is wrong.
    """
    paths: Mapping[str, str] = settings.get("models", {})
    if "model_path" in settings:
        if paths:
            raise InvalidRequestError.at(
                "settings.models", "cannot be combined with model_path", hint="name every model in settings.models"
            )
        paths = {Path(settings["model_path"]).stem: settings["model_path"]}
    configs, wrong = [], []
    for name, path in paths.items():
        where = "settings.model_path" if "model_path" in settings else f"settings.models.{name}"
        try:
            configs.append(_engine(name, where, Path(path).expanduser(), settings))
        except HeaderError as error:
            wrong.append(FieldViolation(where, str(error)))
    if wrong:
        summary = "; ".join(f"{violation.field}: {violation.description}" for violation in wrong)
        raise InvalidRequestError(summary, fields=wrong, hint=PATH_HINT)
    return configs


def _engine(name: str, where: str, path: Path, settings: Mapping[str, Any]) -> EngineConfig:
    if not path.is_absolute():
        raise HeaderError("this is not a full path")
    header = read_header(path)
    if header.pooling == RANK_POOLING:
        raise HeaderError("this model ranks texts, which this provider does not do")
    pooling = settings.get("pooling", "auto")
    if pooling == "auto":
        pooling = "mean" if header.pooling in (None, NO_POOLING) else ""
    if pooling == "none" and header.pooling not in (None, NO_POOLING):
        raise HeaderError("this model only makes embeddings; settings.pooling must not be none")
    wanted = settings.get("context_tokens", 4096)
    trained = header.context_tokens
    return EngineConfig(
        model_id=name,
        field=where,
        path=path,
        modified=path.stat().st_mtime_ns,
        header=header,
        context_tokens=min(wanted or trained or 4096, trained or wanted or 4096),
        parallel=settings.get("parallel", 2),
        threads=settings.get("threads", 0),
        gpu_layers=settings.get("gpu_layers", -1),
        batch_tokens=settings.get("batch_tokens", 512),
        pooling=pooling,
    )
