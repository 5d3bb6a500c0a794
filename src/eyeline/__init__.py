"""eyeline."""
