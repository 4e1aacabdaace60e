"""The checks, in the order they run: what others build on first, what ends a sidecar last."""

from mediaconduit_broker.conformance.checks import identity, models, work, endings, refusals, life  # isort: skip

__all__ = ["endings", "identity", "life", "models", "refusals", "work"]
