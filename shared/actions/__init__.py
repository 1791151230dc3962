"""Builds objects for actions of users: Commands to flows, Jobs and queues, and reruns of flows. Pure."""
