"""Commands on JobFlows: what each does to the states of the steps, and how its result is recorded (docs/design/jobflow-api.md, section 7)."""
