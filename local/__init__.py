"""The local cluster: an embedded Kubernetes API, a stand-in for nodes, and the backends that start them."""
