"""What the management station sees and does, through a stock snmpd and snmptrapd with SNMPv3."""

import os
import re
import signal
import time

import pytest

from lab import TOP, now, wait_until
from measure import Frames
from service import GROUP_STARTED, TRAP_OID, Manager

ONLINE, PATH_UP = "3", "3"


def notifications():
    """Event kind -> notification, from the one table of events."""
    text = (TOP / "agent/base/events.def").read_text()
    rows = re.findall(r'X\(\w+,\s*"(\w+)",\s*\w+,\s*"(\w*)"', text)
    return {kind: name for kind, name in rows if name}


def value_of(trap, mib, name):
    """The value of a column in a notification, whatever its instance."""
    prefix = mib.oid(name) + "."
    return next((value for oid, value in trap.items() if oid.startswith(prefix)), None)


def arrived(world, mib, node, since=0):
    """Numbers of the node's events that came as notifications."""
    return [int(value_of(trap, mib, "yokeEventNumber") or 0)
            for trap in world.trapd.traps()[since:] if trap["from"] == node.address()]


def wait_all_arrived(world, mib, cluster, node, after):
    """No notification of the node's events above `after` is missing at the receiver."""
    sent = notifications()
    wanted = {event["seq"] for event in cluster[node].events(after) if event["kind"] in sent}
    assert wanted

    def missing():
        return wanted - set(arrived(world, mib, node))
    wait_until(lambda: not missing(), 20, f"all of {sorted(wanted)} from {node.name} arrive",
               every=0.2)


def switch_by_set(manager, mib, node, target, **options):
    return manager.set(node, mib.oid("yokeGroupControlOwner", 1), "u", target.number, **options)


def test_walk_on_both_nodes(lab, snmp, mib, manager):
    for node in lab.pair:
        rows = manager.walk(node, mib.oid("yokeMIB"))
        got = {mib.name(oid): value for oid, value in rows.items()}
        assert got["yokeClusterName.0"] == "lab"
        assert got["yokeNodeName.1"] == "alpha" and got["yokeNodeName.2"] == "beta"
        assert got["yokeNodeState.1"] == got["yokeNodeState.2"] == ONLINE
        assert got["yokeGroupName.1"] == "web" and got["yokeGroupState.1"] == GROUP_STARTED
        assert got["yokeGroupOwner.1"] == "1" and got["yokeGroupOwnerName.1"] == "alpha"
        peer = lab.other(node).number
        for path in (1, 2):
            assert got[f"yokePathState.{peer}.{path}"] == PATH_UP
        assert len(rows) > 100


def test_subagent_is_nobody_special(lab, snmp):
    for node in lab.pair:
        pid = snmp[node].pids("snmp")[0]
        text = open(f"/proc/{pid}/status", encoding="ascii").read()
        assert re.search(r"^Uid:\s+(\d+)", text, re.M)[1] != "0"
        assert int(re.search(r"^CapEff:\s+(\w+)", text, re.M)[1], 16) == 0


def test_notifications_of_a_failover(world, lab, snmp, mib):
    since = len(world.trapd.traps())
    after = snmp.beta.last_event()
    lab.alpha.power_cut()
    wait_until(lambda: {"yokeNodeLost", "yokeGroupStarted"}
               <= set(world.trapd.kinds(mib, since)), 10, "the traps of the failover")
    lost = next(trap for trap in world.trapd.traps()[since:]
                if mib.name(trap[TRAP_OID].lstrip(".")) == "yokeNodeLost")
    assert lost["from"] == lab.beta.address()
    assert "alpha is lost" in value_of(lost, mib, "yokeEventText")
    wait_all_arrived(world, mib, snmp, lab.beta, after)


def test_switch_by_snmpset(world, lab, snmp, mib, manager, probe, owners):
    client = probe()
    since, traps = now(), len(world.trapd.traps())
    for target in (lab.beta, lab.alpha):
        at = now()
        done = switch_by_set(manager, mib, lab.alpha, target)
        assert done.returncode == 0, done.stderr
        client.wait_answer(node=target, since=at)
        snmp.settle(target)
    assert owners.both_ms(since) == 0 and client.moves(since) == 2
    wait_until(lambda: world.trapd.kinds(mib, traps).count("yokeOperationSucceeded") == 2, 5,
               "two notifications of success")


def test_standby_and_online_by_snmpset(lab, snmp, mib, manager):
    oid = mib.oid("yokeNodeControlStandby", 1)
    assert manager.set(lab.beta, oid, "i", 1).returncode == 0
    wait_until(lambda: lab.owner() is lab.beta, 5, "beta has the address")
    wait_until(lambda: manager.get(lab.beta, mib.oid("yokeNodeInStandby", 1)) == "1", 5, "standby")
    assert manager.set(lab.beta, oid, "i", 2).returncode == 0
    snmp.settle(lab.beta)


def test_spin_lock(lab, snmp, mib, manager):
    """A manager that was overtaken changes nothing."""
    lock = mib.oid("yokeControlSpinLock", 0)
    seen = int(manager.get(lab.alpha, lock))
    request = [mib.oid("yokeGroupControlOwner", 1), "u", 2, mib.oid("yokeControlReason", 0), "s",
               "test of the lock"]
    stale = manager.set(lab.alpha, lock, "i", seen + 7, *request)
    assert "inconsistentValue" in stale.stderr and lab.owner() is lab.alpha
    assert manager.set(lab.alpha, lock, "i", seen, *request).returncode == 0
    snmp.settle(lab.beta)
    events = snmp.alpha.events() + snmp.beta.events()
    assert any("test of the lock" in event.get("reason", "") for event in events)


@pytest.mark.parametrize("name, index, kind, value, error", [
    ("yokeGroupControlOwner", 1, "u", 77, "wrongValue"),
    ("yokeGroupControlOwner", 1, "u", 0, "wrongValue"),
    ("yokeGroupControlOwner", 1, "s", "beta", "wrongType"),
    ("yokeGroupControlOwner", 99, "u", 2, "noCreation"),
    ("yokeNodeControlStandby", 1, "i", 3, "wrongValue"),
    ("yokeNodeControlStandby", 99, "i", 1, "noCreation"),
    ("yokeGroupOwner", 1, "u", 2, "noAccess"),
])
def test_invalid_set_changes_nothing(lab, snmp, mib, manager, name, index, kind, value, error):
    before = snmp.alpha.group()
    done = manager.set(lab.alpha, mib.oid(name, index), kind, value)
    assert done.returncode != 0 and error in done.stderr, done.stderr
    after = snmp.alpha.group()
    assert (after["owner"], after["term"]) == (before["owner"], before["term"])
    assert not any(node["standby"] for node in snmp.alpha.status()["nodes"])


def test_reader_may_not_write(lab, snmp, mib, manager):
    done = switch_by_set(manager, mib, lab.alpha, lab.beta, user="yoke-read")
    assert done.returncode != 0 and "noAccess" in done.stderr
    assert lab.owner() is lab.alpha


def break_snmpd(world, cluster, manager, noise, do_break, do_repair):
    """alpha's snmpd is away for some seconds in which things happen."""
    lab, mib = world.lab, manager.mib
    interval = cluster.alpha.status()["interval_ms"]
    after = {node.name: cluster[node].last_event() for node in lab.pair}
    frames = Frames(lab, lab.alpha, "red", "udp:4747")
    started = now()
    wait_until(frames.times, 5, "frames are seen")
    do_break()
    broken = now()
    cluster.switch(lab.beta)
    cluster.switch(lab.alpha)
    while now() < broken + 6:
        time.sleep(0.05)
    longest = frames.longest_gap(started, now() - 0.1) - noise.longest(started)
    do_repair()
    repaired = now()
    wait_until(lambda: manager.get(lab.alpha, mib.oid("yokeClusterName", 0), timeout=0.3,
                                   retries=0), 5, "the MIB answers within 5 s")
    assert now() - repaired <= 5
    frames.close()
    assert longest <= interval + 50
    for node in lab.pair:
        assert not cluster[node].has_event("node_lost", after[node.name])
        wait_all_arrived(world, mib, cluster, node, after[node.name])


def test_snmpd_hangs(world, snmp, manager, noise):
    snmpd = world.snmpd["alpha"].process
    break_snmpd(world, snmp, manager, noise, lambda: snmpd.send_signal(signal.SIGSTOP),
                lambda: snmpd.send_signal(signal.SIGCONT))


def test_snmpd_killed_and_started_again(world, snmp, manager, noise):
    snmpd = world.snmpd["alpha"]
    break_snmpd(world, snmp, manager, noise, lambda: snmpd.process.stop(signal.SIGKILL),
                snmpd.start)


def test_subagent_killed(world, lab, snmp, mib, manager):
    old = snmp.alpha.pids("snmp")[0]
    after = snmp.alpha.last_event()
    os.kill(old, signal.SIGKILL)
    snmp.switch(lab.beta)
    wait_until(lambda: snmp.alpha.pids("snmp") not in ([], [old]), 5, "the keeper starts another")
    wait_until(lambda: manager.get(lab.alpha, mib.oid("yokeGroupOwnerName", 1)) == "beta", 10,
               "the MIB answers again")
    wait_all_arrived(world, mib, snmp, lab.alpha, after)


def test_set_is_refused_unless_enabled(world, lab, mib):
    world.with_snmp()
    cluster = world.ready(snmp=True, snmp_set=False)
    manager = Manager(lab, mib)
    wait_until(lambda: manager.get(lab.alpha, mib.oid("yokeSetEnabled", 0)) == "2", 10,
               "YOKE-MIB says that SET is off")
    done = switch_by_set(manager, mib, lab.alpha, lab.beta)
    assert done.returncode != 0 and "notWritable" in done.stderr, done.stderr
    assert lab.owner() is lab.alpha
    cluster.settle(lab.alpha)
