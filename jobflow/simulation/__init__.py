"""Simulates a flow by the controller's own decisions. A scenario says what its Jobs do; the clock is simulated too."""
