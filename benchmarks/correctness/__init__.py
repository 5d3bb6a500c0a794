"""What other tools get wrong, each case run: see docs/correctness.md."""
