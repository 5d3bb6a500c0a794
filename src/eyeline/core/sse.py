"""
Server-sent events from bytes cut anywhere. Source: WHATWG HTML, section 9.2.6, event stream
interpretation.
"""

from __future__ import annotations

# No event of either API comes near this; a stream without line ends must not fill the memory.
EVENT_BYTES_MAX = 16 * 2**20


class SseParser:
    """Turns chunks into the `data` of whole events; an event is whole at its blank line."""

    def __init__(self) -> None:
        self.pending = bytearray()
        self.data: list[bytes] = []
        self.is_first_line = True

    def feed(self, chunk: bytes) -> list[str]:
        """
        Take the next bytes and give the data of every event they complete. ValueError past the size
        limit.
        """
        self.pending += chunk
        if len(self.pending) + sum(map(len, self.data)) > EVENT_BYTES_MAX:
            raise ValueError(len(self.pending))
        if b"\n" not in chunk and b"\r" not in self.pending:
            return []
        lines = self.pending.splitlines(keepends=True)
        # A trailing \r may be half of \r\n, so its line waits for the next byte.
        rest = b"" if lines[-1].endswith(b"\n") else lines.pop()
        self.pending = bytearray(rest)
        events = (self.line(bytes(line.rstrip(b"\r\n"))) for line in lines)
        return [event for event in events if event is not None]

    def end(self) -> list[str]:
        """Give what the last event held if the stream ended without its blank line."""
        return self.feed(b"\n\n")

    def line(self, line: bytes) -> str | None:
        if self.is_first_line:
            line = line.removeprefix(b"\xef\xbb\xbf")
            self.is_first_line = False
        if line:
            name, _, value = line.partition(b":")
            if name == b"data":
                self.data.append(value.removeprefix(b" "))
            return None
        event = b"\n".join(self.data).decode("utf-8", "replace") if self.data else None
        self.data.clear()
        return event
