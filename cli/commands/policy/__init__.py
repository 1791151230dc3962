"""`policy test|explain|scan`."""
