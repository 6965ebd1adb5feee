"""A stop of an exclusive group hangs: it may still run, so it is tried again, and nothing starts on
the other node before there is proof that it ran out here."""

import pytest
from arbiters import WATCHDOG_MS
from lab import now, wait_until
from test_script import Service

STOP_MS = 500
STOPS = 3  # before the watchdog is to reset the machine


class Hanging:
    """alpha owns the service, and its stop hangs from now on."""

    def __init__(self, outside, service, *kinds, watchdog_ms=WATCHDOG_MS):
        self.service = service
        self.one = outside(*kinds, watchdog_ms=watchdog_ms,
                           group=service.group(exclusive="yes", stop_ms=STOP_MS))
        self.lab, self.cluster = self.one.lab, self.one.cluster
        wait_until(lambda: service.pid(self.lab.alpha), 5, "the service runs on alpha")
        self.starts = len(service.calls(self.lab.beta, "start"))
        self.stops = len(service.calls(self.lab.alpha, "stop"))
        self.before = {yoke.node.name: yoke.last_event()
                       for yoke in self.cluster.by_name.values()}
        service.wish(self.lab.alpha, "hang-stop")
        self.since = now()
        self.cluster.alpha.order("switch", group="web", node="beta")

    def event(self, name, kind, **parts):
        return self.cluster[name].has_event(kind, self.before[name], **parts)

    def tries(self):
        return len(self.service.calls(self.lab.alpha, "stop")) - self.stops

    def is_only_on_alpha(self):
        """The service, and beta was not even asked to start it."""
        return (self.service.pid(self.lab.alpha) is not None
                and len(self.service.calls(self.lab.beta, "start")) == self.starts)

    def wait_tries(self, count):
        wait_until(lambda: self.tries() == count, 10 * count, f"stop number {count}")
        assert self.is_only_on_alpha()

    def wait_reset(self):
        """The third stop hangs, too: the machine goes."""
        self.wait_tries(STOPS)
        wait_until(lambda: self.lab.alpha.off_since, 10, "the watchdog resets alpha")
        assert self.one.dogs[0].fired == 1
        assert len(self.service.calls(self.lab.beta, "start")) == self.starts


@pytest.fixture
def hanging(outside, lab):
    """Makes a Hanging; its stop works again before the cluster is stopped."""
    service = Service(lab)
    service.forget_wishes()
    yield lambda *kinds, **options: Hanging(outside, service, *kinds, **options)
    service.forget_wishes()


@pytest.mark.parametrize("kind", ["witness", "disk", "fence"])
def test_watchdog_ends_what_cannot_be_stopped(hanging, owners, kind):
    it = hanging(kind)
    it.wait_tries(STOPS)
    resetting = wait_until(lambda: it.event("alpha", "node_resetting"), 5, "alpha says so")
    assert "web cannot be stopped: timed out after 500 ms" in resetting["text"]
    it.wait_reset()
    wait_until(lambda: it.service.pid(it.lab.beta), it.one.bound_s("is replaced") + 1,
               "the service runs on beta")
    took = now() - it.lab.alpha.off_since
    assert it.one.fence is None or it.one.fence.shot == ["alpha"]
    assert kind == "fence" or took > WATCHDOG_MS / 1000
    assert owners.both_ms(it.since) == 0


def test_reset_alone_proves_nothing(hanging, owners):
    """No arbiter: that alpha was reset, only a person can know."""
    it = hanging()
    it.wait_reset()
    wait_until(lambda: it.event("beta", "group_held"), 10, "beta holds the group")
    assert not it.lab.beta.has()
    assert it.cluster.beta.cli("confirm-down", "alpha", "--reason", "it boots").returncode == 0
    wait_until(lambda: it.service.pid(it.lab.beta), 5, "the service runs on beta")
    assert owners.both_ms(it.since) == 0


def test_without_a_watchdog_it_is_tried_until_it_stops(hanging, owners):
    """alpha is in contact, so no fence device is asked, however long it takes."""
    it = hanging("fence", watchdog_ms=0)
    it.wait_tries(STOPS + 1)
    assert it.one.fence.shot == [] and not it.event("alpha", "node_resetting")
    assert it.cluster.beta.status()["condition"] != "ok"
    it.service.forget_wishes()
    wait_until(lambda: it.service.pid(it.lab.beta), 10, "the service runs on beta")
    it.cluster.settle(it.lab.beta)
    assert it.service.pid(it.lab.alpha) is None and owners.both_ms(it.since) == 0


def test_power_cut_while_it_hangs_is_proven_by_the_fence_device(hanging, owners):
    it = hanging("fence", watchdog_ms=0)
    it.wait_tries(1)
    it.lab.alpha.power_cut()
    wait_until(lambda: it.service.pid(it.lab.beta), it.one.bound_s("is replaced") + 1,
               "the service runs on beta")
    assert it.one.fence.shot == ["alpha"] and it.event("beta", "fence_succeeded")
    assert owners.both_ms(it.since) == 0
