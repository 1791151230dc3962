"""Python objects for values that are known only in the cluster. Operators on them write CEL expressions."""
