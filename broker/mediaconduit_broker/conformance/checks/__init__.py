"""The checks, in the order they run: what others build on first, what ends a sidecar last."""

from mediaconduit_broker.conformance.checks import identity, starting, models, work, endings, refusals, inputs, life  # isort: skip

__all__ = ["endings", "identity", "inputs", "life", "models", "refusals", "starting", "work"]
