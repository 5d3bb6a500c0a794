"""
What is known of each format, one module a format: its header, its structure, its metadata.

`header` of each reads bytes into a Header and raises ValueError or IndexError where they are cut or
make no sense. Where the format can go as it is, `pieces` leaves its metadata out and `fault` names
what is damaged.
"""
