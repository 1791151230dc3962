"""What people ask for: Commands to flows, Jobs and queues, and running a flow again. Pure."""
