"""Who a visitor is, and how much of something one visitor had lately."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable

# Visitors remembered by a window; beyond that the one who was quiet for longest is forgotten.
MAX_VISITORS = 10_000


def visitor_of(forwarded: Iterable[str], peer: str | None, proxies: int = 0) -> str:
    """The visitor's address: the peer of the connection, or what the outermost of `proxies` proxies saw.

    `forwarded` are the lines of X-Forwarded-For. Each proxy appends the address that it saw, to the last line or in
    one of its own, so what stands before came from the visitor and proves nothing. Of an IPv6 address the first 64
    bits count: one household has all the others. An IPv4 address in IPv6's form is what it stands for.
    """
    address = peer or ""
    if proxies:
        seen = [each.strip() for each in ",".join(forwarded).split(",") if each.strip()]
        if seen:
            address = seen[-min(proxies, len(seen))]
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if parsed.version == 6 and parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


class SlidingWindow:
    """At most `limit` of something per visitor within any `seconds`. May be used from any thread.

    Bounded in memory: MAX_VISITORS visitors, with at most `entries` moments each; a visitor who takes in
    smaller pieces than that has pieces counted together, at the later moment.
    """

    def __init__(
        self,
        limit: float,
        seconds: float,
        *,
        visitors: int = MAX_VISITORS,
        entries: int = 100,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit = limit
        self.seconds = seconds
        self._visitors = visitors
        self._entries = entries
        self._clock = clock
        self._lock = threading.Lock()
        # By visitor, who was quiet for longest first: when something was taken, and how much.
        self._taken: OrderedDict[str, deque[tuple[float, float]]] = OrderedDict()

    def take(self, visitor: str, cost: float = 1.0) -> float:
        """Take `cost`; 0, or the seconds until it could be taken, in which case nothing was taken.

        What costs more than the limit can never be taken: that gives the whole window.
        """
        with self._lock:
            now = self._clock()
            taken = self._taken.setdefault(visitor, deque())
            self._taken.move_to_end(visitor)
            while taken and taken[0][0] <= now - self.seconds:
                taken.popleft()
            excess = sum(amount for _, amount in taken) + cost - self.limit
            if excess > 0:
                return self._wait(taken, excess, now)
            if len(taken) >= self._entries:
                cost += taken.pop()[1]
            taken.append((now, cost))
            if len(self._taken) > self._visitors:
                self._taken.popitem(last=False)
            return 0.0

    def _wait(self, taken: deque[tuple[float, float]], excess: float, now: float) -> float:
        for moment, amount in taken:
            excess -= amount
            if excess <= 0:
                return max(moment + self.seconds - now, 0.001)
        return self.seconds
