"""Gang admission: when the pods of a PodGroup may start, according to queues and the free capacity of nodes."""
