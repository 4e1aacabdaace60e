"""Prints the paths of the shared options, for src/generated/sharedOptions.ts."""

from google.protobuf.descriptor import Descriptor
from mediaconduit.v1.options_pb2 import TransformOptions

_FOR_THE_HOST = ("lenient", "outputs_by_reference", "output_media_types", "extra")


def _paths(message: Descriptor, prefix: str = "") -> list[str]:
    found = []
    for field in message.fields:
        if not prefix and field.name in _FOR_THE_HOST:
            continue
        found.append(prefix + field.name)
        inner = field.message_type
        if inner is not None and inner.full_name.startswith("mediaconduit.") and not field.is_repeated:
            found += _paths(inner, f"{prefix}{field.name}.")
    return found


print("/** Paths of the shared options, as the contract has them. Generated: `scripts/node-host --generate`. */")
print("export const SHARED: ReadonlySet<string> = new Set([")
print("".join(f'  "{path}",\n' for path in _paths(TransformOptions.DESCRIPTOR)), end="")
print("]);")
