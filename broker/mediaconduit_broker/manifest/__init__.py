"""What a provider's repository says about itself: ``MediaConduit.provider.yml``."""

from mediaconduit_broker.manifest.model import Manifest, Runtime
from mediaconduit_broker.manifest.read import read_manifest

__all__ = ["Manifest", "Runtime", "read_manifest"]
