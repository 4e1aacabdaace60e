"""Puts a servicer without our host into the place of a sidecar: same environment, same socket, same lifeline."""

import os
import sys

os.execv(sys.executable, [sys.executable, "servicer.py"])
