"""Whether a folder is fit to be pushed, and loaded by others from where it was pushed to.

``tree`` says what git has of it, ``leaks`` finds keys in files, ``verdicts`` judges, ``run`` clones it and tries.
"""

from mediaconduit_broker.publishing.run import NAMES, check_publishable

__all__ = ["NAMES", "check_publishable"]
"""Names of its checks, in the order they run."""
