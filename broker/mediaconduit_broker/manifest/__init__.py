"""What a provider's repository says about itself: ``MediaConduit.provider.yml``."""

from mediaconduit_broker.manifest.model import Conformance, Manifest, Runtime, Sample
from mediaconduit_broker.manifest.read import read_manifest

__all__ = ["Conformance", "Manifest", "Runtime", "Sample", "read_manifest"]
