"""yoke on the owner stands still and goes on again, for less and for more than its lease; the
machine and the service run on meanwhile.  Never two owners, and a client counts what it lost."""

import os
import signal

import pytest
from arbiters import DEAD_MS, LEASE_MS, WATCHDOG_MS, taken_over
from lab import SERVICE, now, wait_until
from web import Web

KINDS = [(), ("fence",), ("witness",), ("disk",)]
LOCKS = ["witness", "disk"]


def name_of(kinds):
    return "-".join(kinds) or "nothing"


class Still:
    """alpha owns a web server, and a client asks it."""

    def __init__(self, outside, client, *kinds, **options):
        web = Web(outside.lab)
        self.one = outside(*kinds, group=web.group(SERVICE, exclusive="yes"), **options)
        self.lab = self.one.lab
        self.alpha, self.beta = self.one.cluster.alpha, self.one.cluster.beta
        self.client = client()
        self.before = self.beta.last_event()
        self.since = now()
        self.stopped = []

    def stop(self, pids):
        self.stopped = list(pids)
        for pid in self.stopped:
            os.kill(pid, signal.SIGSTOP)

    def go_on(self):
        for pid in self.stopped:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass

    def wait_ms(self, ms):
        wait_until(lambda: now() - self.since > ms / 1000, ms / 1000 + 5, f"{ms} ms have passed")

    def is_held(self):
        return self.beta.has_event("group_held", self.before)

    def lost(self):
        """Requests without an answer; two more seconds are waited for."""
        until = now() + 2
        wait_until(lambda: self.client.requests(until), 10, "two more seconds of requests")
        lost = self.client.lost(self.since)
        print(f"{len(lost)} of {len(self.client.requests(self.since))} requests lost")
        return lost


@pytest.fixture
def still(outside, client):
    return lambda *kinds, **options: Still(outside, client, *kinds, **options)


def nothing_happened(it, owners):
    it.one.cluster.settle(it.lab.alpha)
    assert it.lost() == []
    assert owners.takeovers(it.since) == 0 and owners.both_ms(it.since) == 0
    assert it.one.dogs[0].fired == 0 and (it.one.fence is None or it.one.fence.shot == [])


@pytest.mark.parametrize("kinds", KINDS, ids=name_of)
@pytest.mark.parametrize("ms", [DEAD_MS // 3, 2 * LEASE_MS], ids=["briefly", "two leases"])
def test_engine_that_is_stopped_is_replaced(still, owners, kinds, ms):
    it = still(*kinds)
    it.stop([it.alpha.engine()])
    it.wait_ms(ms)
    it.go_on()
    nothing_happened(it, owners)


@pytest.mark.parametrize("kinds", KINDS, ids=name_of)
def test_for_less_than_the_lease(still, owners, kinds):
    """The other node calls it lost; nothing moves all the same, and whoever comes to again does not
    take the other one for lost."""
    it = still(*kinds)
    it.stop(it.alpha.pids())
    it.wait_ms((DEAD_MS + LEASE_MS) // 2)
    it.go_on()
    assert it.beta.has_event("node_lost", it.before)
    nothing_happened(it, owners)


@pytest.mark.parametrize("lock", LOCKS)
def test_for_more_than_the_lease(still, owners, lock):
    """It goes on before its watchdog's time is over: what it ran is stopped, and started anew by
    the one of them that may."""
    it = still(lock, watchdog_ms=3 * WATCHDOG_MS)
    it.stop(it.alpha.pids())
    it.wait_ms(LEASE_MS + LEASE_MS // 2)
    assert it.lab.owner() is it.lab.alpha
    it.go_on()
    it.one.cluster.settle()
    it.lost()
    assert owners.takeovers(it.since) == 1 and owners.both_ms(it.since) == 0
    assert it.one.dogs[0].fired == 0


@pytest.mark.parametrize("lock", LOCKS)
def test_for_longer_is_reset_by_its_watchdog(still, owners, lock):
    it = still(lock)
    it.stop(it.alpha.pids())
    taken_over(it.one, it.since)
    assert it.one.dogs[0].fired == 1
    assert owners.both_ms(it.since) == 0


def test_for_longer_is_switched_off(still, owners):
    it = still("fence", watchdog_ms=0)
    it.stop(it.alpha.pids())
    taken_over(it.one, it.since)
    assert it.one.fence.shot == ["alpha"] and owners.both_ms(it.since) == 0


@pytest.mark.parametrize("kinds", [(), ("witness",)], ids=name_of)
def test_for_longer_with_nothing_that_could_reset_it_is_held(still, owners, kinds):
    """A lease over is no proof without a watchdog, where the machine still answers."""
    it = still(*kinds, watchdog_ms=0)
    bound_ms = int(it.one.bound_s("is replaced") * 1000) if kinds else 2 * LEASE_MS
    it.stop(it.alpha.pids())
    it.wait_ms(bound_ms)
    wait_until(it.is_held, 10, "beta holds the group")
    assert it.lab.owner() is it.lab.alpha
    it.go_on()
    it.one.cluster.settle()
    assert kinds or it.lost() == []
    assert owners.both_ms(it.since) == 0
