"""How Argo CD and Flux judge the health of our kinds."""
