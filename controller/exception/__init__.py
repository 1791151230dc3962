"""JobFlowPolicyException: says in its status whether it has effect. `reconciler` is the only entry point."""
