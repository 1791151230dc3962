"""The control primitives, one file each, named as the API field. None knows its neighbour."""
