"""The ASGI app and the page; holds no state of its own. Nothing here yet."""
