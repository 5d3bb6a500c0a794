"""The same run on an existing distributed engine. Nothing here yet."""
