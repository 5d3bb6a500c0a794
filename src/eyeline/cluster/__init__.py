"""The same run on an existing distributed engine: shards done anywhere, under one limit."""
