"""Measures the budgets of the system as ratios on this machine: ``python -m bench``; docs/benchmarks.md says how."""
