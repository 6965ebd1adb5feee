"""Exclusive groups when nodes do not hear each other: fence device, witness, shared disk, watchdog.

Two owners are counted over the whole of each test: never one millisecond."""

import os
import signal
import time

import pytest
from arbiters import LEASE_MS, WATCHDOG_MS, taken_over
from lab import now, run, wait_until


def last_events(one):
    return {node.name: one.cluster[node].last_event() for node in one.lab.pair}


def is_held(one, node, before=0):
    return one.cluster[node].has_event("group_held", before)


@pytest.mark.parametrize("kind", ["witness", "disk"])
def test_power_cut_is_taken_over_when_the_lease_is_over(outside, owners, kind):
    one = outside(kind)
    since = one.lab.alpha.power_cut()
    took = taken_over(one, since)
    assert took > (LEASE_MS + WATCHDOG_MS) / 1000
    assert owners.both_ms(since) == 0


def test_power_cut_is_taken_over_when_the_fence_device_says_off(outside, owners):
    one = outside("fence")
    since = one.lab.alpha.power_cut()
    taken_over(one, since)
    assert one.fence.shot == ["alpha"]
    assert one.cluster.beta.has_event("fence_succeeded")
    assert owners.both_ms(since) == 0


@pytest.mark.parametrize("kind", ["witness", "disk"])
def test_split_leaves_the_owner_where_it_is(outside, owners, kind):
    one = outside(kind)
    since, before = now(), one.cluster.beta.last_event()
    one.lab.split()
    wait_until(lambda: is_held(one, "beta", before), 15, "beta holds the group")
    assert one.lab.owner() is one.lab.alpha
    one.lab.heal()
    one.cluster.settle(one.lab.alpha)
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 0


def wait_state(one, node, state, since_s):
    """What came of the last question to its arbiter, which was answered after a time."""
    def is_so():
        arbiter = one.cluster[node].status()["arbiters"][0]
        return arbiter["state"] == state and arbiter["tested_wall_ms"] > since_s * 1000
    wait_until(is_so, 15, f"an arbiter is {state}")


def test_witness_that_is_killed_forgets_nothing(outside, owners):
    """It starts again in a split, and the first one to ask it is the one that has not the lock."""
    one = outside("witness", lease_ms=4000)
    since, before = now(), last_events(one)
    one.lab.split()
    wait_until(lambda: is_held(one, "beta", before["beta"]), 15, "beta holds the group")
    split = list(one.lab.rules)
    one.lab.block("pub", "alpha", "client")
    one.witness.stop(signal.SIGKILL)
    one.witness.start()
    wait_state(one, "beta", "refused", time.time())
    one.lab.rules = split
    one.lab.apply()
    wait_state(one, "alpha", "held", time.time() + 4)
    wait_state(one, "beta", "refused", time.time())
    assert one.lab.owner() is one.lab.alpha
    assert not one.cluster.alpha.has_event("arbiter_released", before["alpha"])
    one.lab.heal()
    one.cluster.settle(one.lab.alpha)
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 0


def cut_off(one, node):
    """From everything: the other node, the clients, the witness, the disk and the fence device."""
    since = now()
    for link in node.links:
        one.lab.cut(link, node.name)
    if one.disk:
        one.disk.hide_from(one.cluster[node])
    if one.fence:
        one.fence.cut_from = node
    return since


@pytest.mark.parametrize("kind", ["witness", "disk"])
def test_who_reaches_the_lock_goes_on(outside, owners, kind):
    """What the owner's process was about to write to the disk when it was cut off, it writes when
    it reaches it again: that changes nothing."""
    one = outside(kind)
    since = cut_off(one, one.lab.alpha)
    taken_over(one, since)
    assert not one.lab.alpha.has()
    assert one.cluster.alpha.has_event("lease_expired")
    assert one.dogs[0].fired == 0
    one.lab.heal()
    if one.disk:
        one.disk.start()
    one.cluster.settle(one.lab.beta)
    assert owners.both_ms(since) == 0


def test_owner_that_is_cut_off_is_held(outside, owners):
    one = outside()
    before = one.cluster.beta.last_event()
    since = cut_off(one, one.lab.alpha)
    wait_until(lambda: is_held(one, "beta", before), 10, "beta holds the group")
    assert one.lab.owner() is one.lab.alpha
    one.lab.heal()
    one.cluster.settle(one.lab.alpha)
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 0


def test_owner_that_is_cut_off_is_switched_off(outside, owners):
    one = outside("fence")
    since = cut_off(one, one.lab.alpha)
    taken_over(one, since)
    assert one.fence.shot == ["alpha"] and owners.both_ms(since) == 0


@pytest.mark.parametrize("kind", ["witness", "disk"])
def test_split_while_the_lock_is_away_stops_the_service(outside, owners, kind):
    """Nobody could know which of the two goes on; when they hear each other again, one does."""
    one = outside(kind)
    one.stop_lock()
    wait_until(lambda: one.cluster.alpha.has_event("arbiter_failed"), 10, "alpha knows it")
    since = now()
    one.lab.split()
    wait_until(lambda: one.lab.owners() == [], 2 * LEASE_MS / 1000, "alpha stops with its lease")
    wait_until(lambda: is_held(one, "beta"), 10, "beta holds the group")
    assert one.lab.owners() == [] and one.dogs[0].fired == 0
    one.lab.heal()
    one.cluster.settle(timeout=30)
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


def wait_alarm(one, kind, before):
    """Both nodes try their arbiters."""
    return [wait_until(lambda at=node: one.cluster[at].has_event(kind, before[at.name]), 15,
                       f"{kind} on {node.name}") for node in one.lab.pair]


def test_fence_device_that_fails_is_an_alarm_and_moves_nothing(outside, owners):
    """While all is well, and gone when it works again; then the owner's power fails."""
    one = outside("fence", fence_test_ms=1000)
    since = now()
    for works, kind in ((False, "arbiter_failed"), (True, "arbiter_ready"),
                        (False, "arbiter_failed")):
        before, one.fence.works = last_events(one), works
        for event in wait_alarm(one, kind, before):
            assert works or "the device is broken" in event["text"], event
        status = one.cluster.alpha.status()
        assert status["condition"] == ("ok" if works else "degraded"), status["text"]
        assert works or "switch" in status["text"]
    assert one.lab.owner() is one.lab.alpha and one.fence.shot == []
    before = one.cluster.beta.last_event()
    one.lab.alpha.power_cut()
    wait_until(lambda: one.cluster.beta.has_event("fence_failed", before), 20, "the alarm")
    wait_until(lambda: is_held(one, "beta", before), 5, "the group is held")
    assert not one.lab.beta.has()
    done = one.cluster.beta.cli("confirm-down", "alpha", "--reason", "I pulled its plug")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: one.lab.beta.has(), 5, "beta owns the address")
    assert owners.both_ms(since) == 0


def test_split_with_a_fence_device_that_fails_moves_nothing(outside, owners):
    """The owner cannot switch the other off, nor that one the owner: held where it runs."""
    one = outside("fence")
    one.fence.works = False
    since, before = now(), last_events(one)
    one.lab.split()
    for event in wait_alarm(one, "fence_failed", before):
        assert "the device is broken" in event["text"], event
    held = wait_until(lambda: is_held(one, "beta", before["beta"]), 5, "beta holds the group")
    assert "nothing proves that it is dead: 'yoke confirm-down alpha'" in held["text"], held
    assert one.lab.owner() is one.lab.alpha and one.fence.shot == []
    one.lab.heal()
    one.cluster.settle(one.lab.alpha)
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 0


def test_engine_that_dies_while_it_fences(outside, owners):
    """The next one knows whom it had met, and goes on where it was."""
    one = outside("fence")
    since, before = now(), last_events(one)
    one.lab.alpha.power_cut()
    wait_until(lambda: one.cluster.beta.has_event("fence_started", before["beta"]), 10, "it begins")
    engine = one.cluster.beta.engine()
    os.kill(engine, signal.SIGKILL)
    wait_until(lambda: one.lab.beta.has(), 30, "beta owns the address")
    assert one.cluster.beta.engine() != engine
    assert set(one.fence.shot) == {"alpha"} and owners.both_ms(since) == 0


def boot_apart(one):
    """Both nodes get power while they cannot hear each other."""
    one.lab.split()
    since = now()
    for node in one.lab.pair:
        one.cluster[node].start()
    return since


@pytest.mark.parametrize("kind", ["witness", "disk"])
def test_both_booted_with_the_links_down(outside, owners, kind):
    one = outside(kind)
    for node in one.lab.pair:
        node.power_cut()
    for node in one.lab.pair:
        node.power_on()
    since = boot_apart(one)
    wait_until(lambda: one.lab.owners(), 20, "one of them owns the address")
    wait_until(lambda: any(is_held(one, node) for node in one.lab.pair), 20,
               "the other one holds the group")
    owner = one.lab.owner()
    assert owner and not is_held(one, owner)
    one.lab.heal()
    one.cluster.settle(owner)
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 1


@pytest.mark.parametrize("kind", ["witness", "disk"])
def test_new_machine_alone_waits(outside, owners, kind):
    """It may be one that was installed anew, and have forgotten that it said goodbye: no lock is
    enough before the two have met, or a person has said that the other one is down."""
    one = outside(kind, start=False)
    since = now()
    beta = one.cluster.beta.start()
    wait_until(lambda: is_held(one, "beta"), 20, "beta holds the group")
    assert not one.lab.owners()
    done = beta.cli("confirm-down", "alpha", "--reason", "it is not installed yet")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: one.lab.beta.has(), 5, "beta owns the address")
    one.cluster.alpha.start()
    one.cluster.settle(one.lab.beta)
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 1


@pytest.mark.parametrize("kinds", [(), ("fence",), ("fence", "witness"), ("fence", "disk")],
                         ids=lambda kinds: "-".join(kinds) or "nothing")
def test_both_booted_with_the_links_down_and_nothing_that_decides(outside, owners, kinds):
    """Who has just booted switches nobody off; and where nodes are switched off, it may be the one
    that was: it does not go by a lock either."""
    one = outside(*kinds, start=False)
    since = boot_apart(one)
    for node in one.lab.pair:
        wait_until(lambda at=node: is_held(one, at), 20, f"{node.name} holds the group")
    assert one.lab.owners() == []
    one.lab.heal()
    one.cluster.settle()
    assert one.fence is None or one.fence.shot == []
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 1


# ---- two arbiters ----

@pytest.mark.parametrize("lock", ["witness", "disk"])
def test_fence_device_that_fails_leaves_it_to_the_lock(outside, owners, lock):
    one = outside("fence", lock)
    one.fence.works = False
    since, before = now(), one.cluster.beta.last_event()
    one.lab.alpha.power_cut()
    took = taken_over(one, since)
    assert took > (LEASE_MS + WATCHDOG_MS) / 1000 and one.fence.shot == []
    failed = wait_until(lambda: one.cluster.beta.has_event("fence_failed", before), 20, "the alarm")
    assert failed["severity"] == "critical"
    assert one.lab.owner() is one.lab.beta and owners.both_ms(since) == 0


@pytest.mark.parametrize("lock", ["witness", "disk"])
def test_lock_that_is_away_leaves_it_to_the_fence_device(outside, owners, lock):
    one = outside("fence", lock)
    one.stop_lock()
    wait_until(lambda: one.cluster.beta.has_event("arbiter_failed"), 10, "beta knows it")
    since = one.lab.alpha.power_cut()
    taken_over(one, since, "or by fencing")
    assert one.fence.shot == ["alpha"] and one.cluster.beta.has_event("fence_succeeded")
    assert owners.both_ms(since) == 0


@pytest.mark.parametrize("lock", ["witness", "disk"])
def test_split_with_a_fence_device_and_a_lock_shoots_nobody(outside, owners, lock):
    """The owner has the lock, so the other one may not switch it off; and it has no need to."""
    one = outside("fence", lock)
    since, before = now(), one.cluster.beta.last_event()
    one.lab.split()
    wait_until(lambda: is_held(one, "beta", before), 15, "beta holds the group")
    assert one.lab.owner() is one.lab.alpha
    one.lab.heal()
    one.cluster.settle(one.lab.alpha)
    assert one.fence.shot == []
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 0


# ---- a node that was switched off comes back ----

def power_on(one, node):
    """Its yoke starts, too."""
    one.fence.on(node)
    node.power_on()
    one.cluster[node].start()


def test_owner_that_was_switched_off_comes_back(outside, owners):
    one = outside("fence")
    since = one.lab.alpha.power_cut()
    taken_over(one, since)
    power_on(one, one.lab.alpha)
    one.cluster.settle(one.lab.beta)
    assert one.fence.shot == ["alpha"]
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 1


@pytest.mark.parametrize("kinds", [("fence",), ("fence", "witness"), ("fence", "disk")],
                         ids="-".join)
def test_node_that_was_switched_off_comes_back_into_the_split(outside, owners, kinds):
    """It hears nobody: it holds the group, takes nothing and switches nobody off."""
    one = outside(*kinds)
    since = now()
    one.lab.alpha.power_cut()
    taken_over(one, since)
    one.lab.split()
    power_on(one, one.lab.alpha)
    wait_until(lambda: is_held(one, "alpha"), 20, "alpha holds the group")
    assert one.lab.owner() is one.lab.beta
    one.lab.heal()
    one.cluster.settle(one.lab.beta)
    assert one.fence.shot == ["alpha"]
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 1


# ---- reference addresses: who may go on ----

def test_reference_address_that_does_not_answer_is_an_alarm_while_all_is_well(outside, owners):
    """One of several is enough, of either family; when no node hears one, the service goes on."""
    one = outside("ping")
    since = now()
    four, six = one.reference.ADDRESSES
    for answers, kind in (((six,), None), ((), "arbiter_failed"), ((four,), "arbiter_ready")):
        before = last_events(one)
        one.reference.set(answers)
        for event in wait_alarm(one, kind, before) if kind else ():
            assert answers or "no answer from any of 2 addresses" in event["text"], event
        tested = time.time() + 2
        for node in one.lab.pair:
            wait_state(one, node, "ready" if answers else "failed", tested)
            assert kind or not one.cluster[node].has_event("arbiter_failed", before[node.name])
            assert one.cluster[node].status()["condition"] == ("ok" if answers else "degraded")
    one.cluster.settle(one.lab.alpha)
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 0


def test_owner_that_hears_no_reference_address_hands_over(outside, owners):
    one = outside("ping")
    since, before = now(), last_events(one)
    one.reference.hide_from(one.lab.alpha)
    wait_until(lambda: one.lab.owner() is one.lab.beta, 10, "beta owns the address")
    assert one.cluster.alpha.has_event("arbiter_failed", before["alpha"])
    assert not one.cluster.beta.has_event("arbiter_failed", before["beta"])
    one.lab.heal()
    one.cluster.settle(one.lab.beta)
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 1


@pytest.mark.parametrize("kind", ["fence", "witness"])
def test_node_that_hears_no_reference_address_takes_nothing_over(outside, owners, kind):
    """It switches nobody off and asks for no lock, although it could; then it hears one again."""
    one = outside(kind, "ping")
    since, before = now(), one.cluster.beta.last_event()
    one.reference.hide_from(one.lab.beta)
    wait_until(lambda: one.cluster.beta.has_event("arbiter_failed", before), 10, "the alarm")
    wait_until(lambda: "group web on beta: it reaches no reference address" in
               one.cluster.alpha.cli("status").stdout, 5, "beta could not take over")
    one.lab.alpha.power_cut()
    wait_until(lambda: one.cluster.beta.has_event("node_lost", before), 10, "alpha is lost")
    lost = now()
    wait_until(lambda: now() - lost > 4, 5, "the fence device's delay, or the lease, is over")
    assert not one.lab.beta.has()
    assert not one.cluster.beta.has_event("arbiter_held", before)
    assert one.fence is None or one.fence.shot == []
    one.lab.heal()
    wait_until(one.lab.beta.has, 20, "beta owns the address")
    assert one.fence is None or one.fence.shot == ["alpha"]
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 1


def test_owner_that_loses_all_but_the_fence_device_switches_nobody_off(outside, owners):
    """It does not know yet that it is deaf when the other one is lost; the other one takes over."""
    one = outside("fence", "ping")
    since = now()
    one.reference.hide_from(one.lab.alpha)
    one.lab.split()
    wait_until(lambda: "alpha" in one.fence.shot, 20, "beta has alpha switched off")
    wait_until(one.lab.beta.has, 20, "beta owns the address")
    assert one.fence.shot == ["alpha"]
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 1


# ---- alarms and secrets ----

@pytest.mark.parametrize("kind, name", [("witness", "third"), ("disk", "quorum")],
                         ids=["witness", "disk"])
def test_lock_that_is_away_is_an_alarm_while_all_is_well(outside, kind, name):
    one = outside(kind)
    one.stop_lock()
    wait_until(lambda: one.cluster.alpha.has_event("arbiter_failed"), 10, "the alarm")
    status = one.cluster.alpha.status()
    assert status["condition"] == "degraded" and name in status["text"]
    assert one.lab.owner() is one.lab.alpha
    one.start_lock()
    wait_until(lambda: one.cluster.alpha.status()["arbiters"][0]["state"] == "ready", 10,
               "it works again")


def told_and_mended(one, owners, spoil, reason, mend):
    """Both nodes say so while all is well, once, and nothing moves; it ends when it is mended."""
    since, before = now(), last_events(one)
    spoil()
    for event in wait_alarm(one, "arbiter_failed", before):
        assert reason in event["text"], event
    before = last_events(one)
    tested = time.time() + 2
    for node in one.lab.pair:
        wait_state(one, node, "failed", tested)
        assert not one.cluster[node].has_event("arbiter_ready", before[node.name])
        assert one.cluster[node].status()["condition"] == "degraded"
    mend()
    wait_alarm(one, "arbiter_ready", before)
    for node in one.lab.pair:
        assert not one.cluster[node].has_event("arbiter_failed", before[node.name])
        assert one.cluster[node].status()["condition"] == "ok"
    assert one.lab.owner() is one.lab.alpha
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 0


def test_disk_that_takes_no_write_is_an_alarm_while_all_is_well(outside, owners, loop):
    one = outside("disk", device=loop)
    told_and_mended(one, owners, lambda: run("blockdev", "--setro", loop),
                    "it cannot be written: Operation not permitted",
                    lambda: run("blockdev", "--setrw", loop))


def test_disk_is_not_made_anew_under_who_holds_it(outside, owners):
    """What a dead node left on it does not keep anybody from that."""
    one = outside("disk")
    since, before = now(), last_events(one)
    one.lab.split()
    wait_until(lambda: is_held(one, "beta", before["beta"]), 15, "beta holds the group")
    done = one.disk.try_init(one.cluster.beta)
    assert done.returncode == 1
    assert "alpha holds the lock on it now" in done.stderr
    assert one.lab.owner() is one.lab.alpha
    assert not one.cluster.alpha.has_event("arbiter_released", before["alpha"])
    one.lab.beta.power_cut()
    one.lab.alpha.power_cut()
    one.disk.init(one.cluster.beta)
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 0


def test_witness_that_cannot_save_is_an_alarm_while_all_is_well(outside, owners):
    """Its disk is full; then it is not to be written any more."""
    one = outside("witness", witness_disk="16k")
    told_and_mended(one, owners, one.witness.fill, "it cannot save: No space left on device",
                    one.witness.drain)
    told_and_mended(one, owners, lambda: one.witness.remount("ro"),
                    "it cannot save: Read-only file system", lambda: one.witness.remount("rw"))


def test_secrets_are_nowhere(outside):
    one = outside("fence")
    wait_until(lambda: one.cluster.alpha.status()["arbiters"][0]["state"] == "ready", 10, "a test")
    for node in one.lab.pair:
        yoke = one.cluster[node]
        assert "lab-secret" not in yoke.process.text()
        assert b"lab-secret" not in (yoke.run_dir / "recorder").read_bytes()
        assert "lab-secret" not in str(yoke.status()) + str(yoke.events())
