"""Values that are known only in the cluster, as Python objects: operators on them write CEL expressions."""
