"""What users install: the wheel, the source distribution and the rest of a release."""
