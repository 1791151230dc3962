"""Scenarios on a whole local cluster: the same on the embedded API server and on a real control plane."""
