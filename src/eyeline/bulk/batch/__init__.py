"""
A run through the Batch API: the same questions, written into files, answered within a day at half
the price.

A row goes through the same flow as ever. Where that sends, the request becomes a line of a file and
the row is parked; once its batch is collected the row goes through the flow again, and the line's
answer is what its request gets. So the bodies, the cache, corrections and errors are those of a
live run, and the ledger knows no difference.
"""
