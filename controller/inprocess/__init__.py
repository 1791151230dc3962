"""States in the status of each JobFlowPolicy which of its rules the API server itself enforces."""
