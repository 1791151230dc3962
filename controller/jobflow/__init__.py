"""What a JobFlow does next: pure functions from what was seen to a decision."""
