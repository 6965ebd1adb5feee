"""Exclusive groups when nodes do not hear each other: fence device, witness, shared disk, watchdog.

Two owners are counted over the whole of each test: never one millisecond."""

import signal

import pytest
from arbiters import LEASE_MS, WATCHDOG_MS, taken_over
from lab import now, wait_until


@pytest.mark.parametrize("kind", ["witness", "disk"])
def test_power_cut_is_taken_over_when_the_lease_is_over(outside, owners, kind):
    one = outside(kind)
    bound_s = one.bound_s("is replaced")
    since = one.lab.alpha.power_cut()
    took = taken_over(one, since, bound_s)
    assert took > (LEASE_MS + WATCHDOG_MS) / 1000
    assert owners.both_ms(since) == 0


def test_power_cut_is_taken_over_when_the_fence_device_says_off(outside, owners):
    one = outside("fence")
    since = one.lab.alpha.power_cut()
    taken_over(one, since, one.bound_s("is replaced"))
    assert one.fence.shot == ["alpha"]
    assert one.cluster.beta.has_event("fence_succeeded")
    assert owners.both_ms(since) == 0


@pytest.mark.parametrize("kind", ["witness", "disk"])
def test_split_leaves_the_owner_where_it_is(outside, owners, kind):
    one = outside(kind)
    since, before = now(), one.cluster.beta.last_event()
    one.lab.split()
    wait_until(lambda: one.cluster.beta.has_event("group_held", before), 15, "beta holds the group")
    assert one.lab.owner() is one.lab.alpha
    one.lab.heal()
    one.cluster.settle(one.lab.alpha)
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 0


def test_who_reaches_the_witness_goes_on(outside, owners):
    one = outside("witness")
    since = now()
    for link in ("red", "blue", "pub"):
        one.lab.cut(link, "alpha")
    taken_over(one, since, one.bound_s("is replaced"))
    assert not one.lab.alpha.has()
    assert one.cluster.alpha.has_event("lease_expired")
    assert one.dogs[0].fired == 0
    one.lab.heal()
    one.cluster.settle(one.lab.beta)
    assert owners.both_ms(since) == 0


def test_split_with_a_fence_device_leaves_one(outside, owners):
    one = outside("fence")
    since = now()
    one.lab.split()
    wait_until(lambda: one.fence.shot, 15, "a node is switched off")
    wait_until(lambda: one.cluster.alpha.has_event("fence_succeeded"), 15, "alpha knows it")
    assert one.fence.shot == ["beta"] and one.lab.owner() is one.lab.alpha
    assert owners.takeovers(since) == 0
    # The one that was switched off comes back: it takes nothing and switches nobody off.
    one.lab.heal()
    one.fence.on(one.lab.beta)
    one.lab.beta.power_on()
    one.cluster.beta.start()
    one.cluster.settle(one.lab.alpha)
    assert one.fence.shot == ["beta"] and owners.both_ms(since) == 0


def test_fence_device_that_fails_is_an_alarm_and_moves_nothing(outside, owners):
    one = outside("fence")
    one.fence.works = False
    since, before = now(), one.cluster.beta.last_event()
    one.lab.alpha.power_cut()
    wait_until(lambda: one.cluster.beta.has_event("fence_failed", before), 20, "the alarm")
    wait_until(lambda: one.cluster.beta.has_event("group_held", before), 5, "the group is held")
    assert not one.lab.beta.has()
    done = one.cluster.beta.cli("confirm-down", "alpha", "--reason", "I pulled its plug")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: one.lab.beta.has(), 5, "beta owns the address")
    assert owners.both_ms(since) == 0


def test_both_booted_with_the_links_down(outside, owners):
    one = outside("witness", start=False)
    since = now()
    one.lab.split()
    for node in one.lab.pair:
        one.cluster[node].start()
    wait_until(lambda: one.lab.owners(), 20, "one of them owns the address")
    wait_until(lambda: any(one.cluster[node].has_event("group_held") for node in one.lab.pair), 20,
               "the other one holds the group")
    assert len(one.lab.owners()) == 1 and owners.both_ms(since) == 0


def test_yoke_that_stands_still_for_less_than_the_lease(outside, owners):
    one = outside("witness")
    since = now()
    one.lab.alpha.group.freeze(True)
    wait_until(lambda: now() - since > 0.15, 1, "a while")
    one.lab.alpha.group.freeze(False)
    one.cluster.settle(one.lab.alpha)
    assert owners.takeovers(since) == 0 and one.dogs[0].fired == 0


def test_yoke_that_stands_still_for_longer_is_reset_by_its_watchdog(outside, owners):
    one = outside("witness")
    since = now()
    for pid in one.cluster.alpha.pids():
        one.lab.alpha.run("kill", f"-{int(signal.SIGSTOP)}", pid)
    taken_over(one, since, one.bound_s("is replaced"))
    assert one.dogs[0].fired == 1
    assert owners.both_ms(since) == 0


def test_witness_that_is_away_is_an_alarm_while_all_is_well(outside):
    one = outside("witness")
    one.witness.stop()
    wait_until(lambda: one.cluster.alpha.has_event("arbiter_failed"), 10, "the alarm")
    status = one.cluster.alpha.status()
    assert status["condition"] == "degraded" and "third" in status["text"]
    assert one.lab.owner() is one.lab.alpha
    one.witness.start()
    wait_until(lambda: one.cluster.alpha.status()["arbiters"][0]["state"] == "ready", 10,
               "it works again")


def test_secrets_are_nowhere(outside):
    one = outside("fence")
    wait_until(lambda: one.cluster.alpha.status()["arbiters"][0]["state"] == "ready", 10, "a test")
    for node in one.lab.pair:
        yoke = one.cluster[node]
        assert "lab-secret" not in yoke.process.text()
        assert b"lab-secret" not in (yoke.run_dir / "recorder").read_bytes()
        assert "lab-secret" not in str(yoke.status()) + str(yoke.events())
