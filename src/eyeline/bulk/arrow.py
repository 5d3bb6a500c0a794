"""pyarrow, or the error that says how to install it."""

from __future__ import annotations

from eyeline.errors import MissingExtra

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError:
    raise MissingExtra("tables of rows and answers", "bulk", "pyarrow") from None

__all__ = ["pa", "pq"]
