"""The steps of a flow: Jobs, uses of JobTemplates, switches."""
