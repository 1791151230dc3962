"""Gang admission: when the pods of a PodGroup may start, by queues and by room on nodes."""
