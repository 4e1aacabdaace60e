"""What is tested, and what it is tried with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit.v1.media_pb2 import Part
from mediaconduit.v1.options_pb2 import TransformOptions

from mediaconduit_broker.manifest import Manifest, Sample
from mediaconduit_broker.secrets import Secret


@dataclass(frozen=True, slots=True)
class Given:
    """What the author gives to try a capability with."""

    part: Part | None
    """The main input; None = the suite's own."""
    options: TransformOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A provider that is tested."""

    manifest: Manifest
    folder: Path
    """Where its process works."""
    command: Sequence[str]
    """What starts it."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """Variables that every sidecar gets."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    """Those of its manifest that are there."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Plain variables that its manifest names."""
    samples: Mapping[str, Given] = field(default_factory=dict)
    """By capability."""
    models: Collection[str] = ()
    """Ids of the only ones to try; empty = any."""
    start_timeout: float

    @property
    def prefix(self) -> str:
        """What names of its models begin with."""
        return f"providers/{self.manifest.id}/models/"

    @property
    def missing(self) -> list[str]:
        """Secrets of its manifest that are not there."""
        return [name for name in self.manifest.secrets if name not in self.secrets]


def samples_of(manifest: Manifest, folder: Path) -> dict[str, Given]:
    """The samples of a manifest. Reads files of the repository.

    Raises:
        PreconditionError: MANIFEST_INVALID: a file is not there, or options are none.
    """
    return {name: _given(sample, folder, name) for name, sample in manifest.conformance.samples.items()}


def _given(sample: Sample, folder: Path, name: str) -> Given:
    options = TransformOptions()
    try:
        json_format.ParseDict(dict(sample.options), options)
    except json_format.ParseError as error:
        raise _invalid(name, f"its options are not TransformOptions: {error}") from None
    part = Part(text=sample.text, media_type="text/plain") if sample.text else None
    if sample.file:
        path = (folder / sample.file).resolve()
        if not path.is_relative_to(folder.resolve()) or not path.is_file():
            raise _invalid(name, f"there is no file {sample.file} in the repository")
        part = Part(data=path.read_bytes(), media_type=sample.media_type)
    return Given(part, options)


def _invalid(name: str, why: str) -> PreconditionError:
    return PreconditionError(
        f"conformance.samples.{name} of the manifest: {why}",
        reason=Reason.MANIFEST_INVALID,
        hint="docs/conformance.md says what a sample is",
    )
