"""From Kubernetes objects to Python: a program, as data, which is either carried out or printed."""
