"""What models providers have, compared with what they had: also before this broker started.

Knows nothing of supervisors, sidecars or the wire: it is shown lists of models and tells what is new about them.
"""

from mediaconduit_broker.model_watch.differences import Difference, ModelSet, compared
from mediaconduit_broker.model_watch.history import Counters, Noticed, ProviderHistory
from mediaconduit_broker.model_watch.store import ModelStore
from mediaconduit_broker.model_watch.watch import ModelWatch

__all__ = [
    "Counters",
    "Difference",
    "ModelSet",
    "ModelStore",
    "ModelWatch",
    "Noticed",
    "ProviderHistory",
    "compared",
]
