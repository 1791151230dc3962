"""The Kubernetes objects of a flow. Each field is linked to the line of Python that wrote it."""
