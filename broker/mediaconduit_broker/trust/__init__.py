"""Whose code may run here, and which of it: the allow-list and the lock."""

from mediaconduit_broker.trust.allowed import AllowedFile
from mediaconduit_broker.trust.assembly import check_by_hand, gate_of, lock_path
from mediaconduit_broker.trust.gate import Admission, Gate, loaded_unlocked
from mediaconduit_broker.trust.locking import Locker
from mediaconduit_broker.trust.packages import pinned_lines
from mediaconduit_broker.trust.policy import TrustPolicy

__all__ = [
    "Admission",
    "AllowedFile",
    "Gate",
    "Locker",
    "TrustPolicy",
    "check_by_hand",
    "gate_of",
    "loaded_unlocked",
    "lock_path",
    "pinned_lines",
]
