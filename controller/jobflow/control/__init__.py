"""The control primitives, one file each, named after the API field. No file imports another one."""
