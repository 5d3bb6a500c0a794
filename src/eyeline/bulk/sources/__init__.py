"""
Where rows come from, one module a kind: listings of files, lines, tables, archives.
"""
