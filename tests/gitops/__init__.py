"""What Argo CD and Flux say of our kinds."""
