"""Engines in this process, each another Transport; they see only `core`, `ports` and `errors`."""
