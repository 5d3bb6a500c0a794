"""
Many images: manifest in, run store, runner, report out. Builds no request bodies. Nothing here yet.
"""
