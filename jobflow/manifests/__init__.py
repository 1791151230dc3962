"""The Kubernetes objects of a flow, each field with the line of Python that wrote it."""
