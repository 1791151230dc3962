"""What happens to the objects of a run at each moment, in the order of the API server."""
