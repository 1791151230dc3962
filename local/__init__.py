"""The local cluster of `jobflow local`: an embedded API server, simulated nodes, and the backends that start them."""
