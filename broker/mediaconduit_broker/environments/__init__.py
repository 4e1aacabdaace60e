"""Isolated environments: content-keyed, built aside, checked, renamed into place, shared by equal keys."""

from mediaconduit_broker.environments.builder import BuildStep, EnvironmentBuilder
from mediaconduit_broker.environments.plan import EnvironmentPlan, plan_environment
from mediaconduit_broker.environments.record import EnvironmentRecord

__all__ = ["BuildStep", "EnvironmentBuilder", "EnvironmentPlan", "EnvironmentRecord", "plan_environment"]
