"""Simulates a flow: the controller's own decisions, over Jobs that do what a scenario says, on a clock of their own."""
