"""The JobFlow controller: `reconciler` observes a flow, `decide` decides (pure), the Applier of `controller.cluster` acts."""
