"""Single-flight: who is asking what right now, and who waits for that answer; any threads."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from eyeline.effects import Record, Ticket

if TYPE_CHECKING:
    from concurrent.futures import Future


@dataclass(frozen=True, slots=True)
class Waiter:
    """
    Who waits, where (a thread or task), and what it will be given: a record, or None for its turn.
    """

    ticket: Ticket
    place: object
    given: Future[Record | None]


@dataclass(slots=True)
class Flight:
    """One key in flight: who leads, where, and who waits, first come first."""

    ticket: Ticket
    place: object
    waiting: deque[Waiter] = field(default_factory=deque)


class Flights:
    """All keys in flight of one client."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.flights: dict[str, Flight] = {}
        self.pid = os.getpid()

    def claim(self, ticket: Ticket, place: object) -> Future[Record | None] | None:
        """
        Give None to who may go ahead, or what to wait for.

        Who holds the key in the same place goes ahead too: the reader of a stream who asks the same
        before its end would wait for itself.
        """
        if self.pid != os.getpid():  # in a child the threads that lead are not there
            self.lock, self.flights, self.pid = Lock(), {}, os.getpid()
        with self.lock:
            flight = self.flights.get(ticket.key)
            if flight is None:
                self.flights[ticket.key] = Flight(ticket, place)
                return None
            if flight.place == place:
                return None
            # Here, since it takes longer to load than a question that nobody waits for may.
            from concurrent.futures import Future

            waiter = Waiter(ticket, place, Future())
            flight.waiting.append(waiter)
            return waiter.given

    def release(self, ticket: Ticket, record: Record | None) -> None:
        """
        Let go of a key: a record is for all who wait; without one the first of them leads.

        Of a ticket that does not lead nothing remains; it may be released twice.
        """
        with self.lock:
            flight = self.flights.get(ticket.key)
            if flight is None:
                return
            if flight.ticket is not ticket:
                flight.waiting = deque(each for each in flight.waiting if each.ticket is not ticket)
                return
            while flight.waiting:
                waiter = flight.waiting.popleft()
                # False where its task was cancelled, but has not come to release its ticket yet.
                if not waiter.given.set_running_or_notify_cancel():
                    continue
                if record is None:
                    flight.ticket, flight.place = waiter.ticket, waiter.place
                    waiter.given.set_result(None)
                    return
                waiter.given.set_result(record)
            del self.flights[ticket.key]
