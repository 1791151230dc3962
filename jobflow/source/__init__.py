"""Turns Kubernetes objects into a Python program, held as data, which is then executed or printed."""
