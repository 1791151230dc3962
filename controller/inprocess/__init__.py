"""States in the status of each JobFlowPolicy which of its rules the API server itself enforces, and generates the
ValidatingAdmissionPolicies that enforce its `rules`. `reconciler` is the only entry point."""
