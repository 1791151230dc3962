"""Requests, limits and claims of pods and containers."""
