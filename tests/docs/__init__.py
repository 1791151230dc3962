"""The hand-written pages of docs/ agree with the code."""
