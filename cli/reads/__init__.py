"""What commands read from the cluster besides the objects that they are about."""
