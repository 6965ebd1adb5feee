"""The owner fails, or what it needs does: the address answers on the other node."""

import os
import signal
import statistics

from lab import SERVICE, SERVICE6, now, wait_until
from service import command_of


def cut_and_measure(world, cluster, probe, owner):
    """Power cut of the owner; returns the outage in ms.  The node is up again afterwards."""
    peer = world.lab.other(owner)
    since = now()
    at = owner.power_cut()
    probe.wait_answer(timeout=20, node=peer, since=since)
    wait_until(lambda: cluster[peer].group()["state"] == "started", 5, "the group is started")
    outage = probe.outage(at)
    assert world.owners.both_ms(since) == 0
    return outage


def test_power_cut_with_dead_30_ms(world, lab, fast, probe):
    """Three cuts in turn; the comparison with another product is `make bench`."""
    client = probe()
    outages = []
    owner = lab.alpha
    for _ in range(3):
        outages.append(cut_and_measure(world, fast, client, owner))
        peer = lab.other(owner)
        fast = world.ready(owner=peer.name, **world.keys)
        assert lab.owner() is peer, "the node that came back took the address"
        owner = peer
    assert statistics.median(outages) <= 120, outages


def test_power_cut_with_default_timing(world, lab, slow, probe):
    client = probe()
    client6 = probe(SERVICE6, "probe6")
    before = slow.beta.last_event()
    since = now()
    outage = cut_and_measure(world, slow, client, lab.alpha)
    assert outage <= 1300
    client6.wait_answer(node=lab.beta)
    assert client6.outage(since) <= 1300
    lost = slow.beta.has_event("node_lost", before)
    assert lost and lost["node_name"] == "alpha" and lost["severity"] == "critical"
    assert slow.beta.has_event("group_started", before, group_name="web")
    assert slow.beta.group()["condition"] == "degraded", "no second node: it must say so"
    history = slow.beta.cli("history")
    assert history.returncode == 0 and "alpha is lost" in history.stdout


def test_power_cut_while_the_standbys_engine_restarts(world, lab, fast, probe):
    """The new engine has never heard the owner; but the machine did not boot, so it does not wait
    the three seconds of a boot before it believes the silence."""
    client = probe()
    since = now()
    os.kill(fast.beta.engine(), signal.SIGKILL)
    lab.alpha.power_cut()
    client.wait_answer(timeout=5, node=lab.beta, since=since)
    assert client.outage(since) < 1000


def test_node_comes_back_as_standby(world, lab, slow):
    lab.alpha.power_cut()
    wait_until(lambda: lab.owner() is lab.beta, 5, "beta has the address")
    moves = slow.beta.group()["moves"]
    cluster = world.ready(owner="beta", **world.keys)
    assert cluster.beta.group()["moves"] == moves, "it moved when alpha came back"
    assert cluster.beta.group()["condition"] == "ok"


def test_public_carrier_lost(lab, slow, probe, owners):
    """A node that is alive but without its public link hands over to one that has it."""
    client = probe()
    before = slow.alpha.last_event()
    since = now()
    lab.alpha.carrier("pub", False)
    client.wait_answer(timeout=5, node=lab.beta, since=since)
    wait_until(lambda: slow.beta.group()["owner_name"] == "beta", 5, "beta owns web")
    wait_until(lambda: slow.alpha.has_event("resource_unusable", before), 5,
               "the event that says why")
    assert slow.beta.peer_state("alpha") == "online"
    lab.alpha.carrier("pub", True)
    wait_until(lambda: not lab.alpha.has(SERVICE), 5, "alpha gave the address up")


def test_removed_address_is_put_back(lab, slow, probe):
    client = probe()
    before = slow.alpha.last_event()
    since = now()
    lab.alpha.run("ip", "address", "del", f"{SERVICE}/24", "dev", "pub")
    wait_until(lambda: lab.alpha.has(SERVICE), 5, "the address is back")
    wait_until(lambda: slow.alpha.has_event("resource_restored", before), 5, "the event")
    client.wait_answer(node=lab.alpha)
    assert client.outage(since) < 1000
    assert slow.alpha.group()["owner_name"] == "alpha"


def test_stranger_has_the_address(lab, slow):
    """A start that collides fails with the stranger's hardware address in the reason."""
    slow.stop()
    lab.client.run("ip", "address", "add", f"{SERVICE}/24", "dev", "pub")
    try:
        slow.alpha.start()
        slow.beta.start()
        wait_until(lambda: all(slow[node].group()["state"] == "failed" for node in lab.pair), 15,
                   "the start fails")
        events = [event for node in lab.pair for event in slow[node].events()
                  if event["kind"] == "group_failed"]
        assert any(mac_of(lab.client) in event["reason"].lower() for event in events), events
        assert lab.owners() == []
    finally:
        lab.client.run("ip", "address", "del", f"{SERVICE}/24", "dev", "pub")
    for node in lab.pair:
        slow[node].order("online", node=node.name)
    wait_until(lab.owner, 10, "started once the stranger is gone and 'online' was said")


def mac_of(node, link="pub"):
    return node.run("ip", "-o", "link", "show", link).split("link/ether ")[1].split()[0]


def test_engine_runs_without_root(lab, slow):
    """The keeper is root; what reads frames from the network is not."""
    for node in lab.pair:
        status = open(f"/proc/{slow[node].engine()}/status", encoding="ascii").read()
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert fields["Uid"].split()[1] != "0"
        # CAP_NET_ADMIN 12, CAP_NET_RAW 13, CAP_IPC_LOCK 14, CAP_SYS_NICE 23.
        allowed = 1 << 12 | 1 << 13 | 1 << 14 | 1 << 23
        assert int(fields["CapEff"], 16) & ~allowed == 0
        assert int(fields["VmLck"].split()[0]) > 0, "its memory is not locked"
        assert "--role" in command_of(slow[node].engine())


def test_clean_leave(lab, slow, probe, owners):
    """A stop of the service on the owner is a switchover, not a failure."""
    client = probe()
    before = slow.beta.last_event()
    since = now()
    assert slow.alpha.leave() == 0
    client.wait_answer(node=lab.beta, since=since)
    assert not lab.alpha.has(SERVICE) and not lab.alpha.has(SERVICE6)
    assert owners.both_ms(since) == 0
    assert client.outage(since) < 500
    assert wait_until(lambda: slow.beta.has_event("node_left", before), 5, "the event node_left")
    assert not slow.beta.has_event("node_lost", before)
