"""
A run as one page that opens from disk: pictures, answers, figures; nothing is loaded from anywhere.
"""
