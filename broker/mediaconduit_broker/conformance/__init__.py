"""The checks every provider must pass, whatever it is written in. They look at it over the wire only.

``check`` says what a check is, ``checks`` holds them, ``bench`` starts what they look at, ``run`` runs them.
"""

from mediaconduit_broker.conformance.check import CHECKS, Check, Outcome, Report
from mediaconduit_broker.conformance.run import run_conformance

__all__ = ["CHECKS", "Check", "Outcome", "Report", "run_conformance"]
