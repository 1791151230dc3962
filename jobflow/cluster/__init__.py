"""Applies and runs flows in a cluster, waits for them and reads their results."""
