"""Cables and switches fail: losing a path is not losing a node, and a split heals at once."""

import time

from lab import SERVICE, now, wait_until
from measure import Frames

PRIVATE = ("red", "blue")


def path_state(cluster, node, name):
    return cluster[node].path(name)["state"]


def test_one_path_cut(lab, slow, owners):
    since = now()
    before = {node.name: slow[node].last_event() for node in lab.pair}
    lab.split(["red"])
    for node in lab.pair:
        wait_until(lambda at=node: path_state(slow, at, "red") == "down", 5,
                   f"red is down on {node.name}")
        assert path_state(slow, node, "blue") == "up"
        assert slow[node].has_event("path_down", before[node.name], path_name="red")
        assert slow[node].peer_state(lab.other(node).name) == "online"
    lab.heal()
    for node in lab.pair:
        wait_until(lambda at=node: path_state(slow, at, "red") == "up", 5, "red is up again")
        assert slow[node].has_event("path_up", before[node.name], path_name="red")
    assert owners.takeovers(since) == 0


def test_one_path_cut_one_way(lab, slow, owners):
    """beta hears nothing on red, alpha hears that: a path is up only when both directions work."""
    since = now()
    before = slow.alpha.last_event()
    lab.block("red", "alpha", "beta")
    wait_until(lambda: path_state(slow, "beta", "red") == "down", 5, "beta: red is down")
    wait_until(lambda: path_state(slow, "alpha", "red") == "oneWay", 5, "alpha: red is oneWay")
    assert slow.alpha.has_event("path_one_way", before, path_name="red")
    assert all(slow[node].peer_state(lab.other(node).name) == "online" for node in lab.pair)
    lab.heal()
    slow.settle(lab.alpha)
    assert owners.takeovers(since) == 0


def test_cable_pulled(lab, slow, owners):
    since = now()
    lab.alpha.carrier("blue", False)
    wait_until(lambda: path_state(slow, "beta", "blue") == "down", 5, "blue is down")
    lab.alpha.carrier("blue", True)
    slow.settle(lab.alpha)
    assert owners.takeovers(since) == 0


def test_loss_of_30_percent(lab, fast, owners, noise):
    """dead = 30 ms and no takeover: several beats within it, on two paths.  `make bench` takes
    the whole minute."""
    since = now()
    before = {node.name: fast[node].last_event() for node in lab.pair}
    for link in PRIVATE:
        lab.block(link, percent=30)
    time.sleep(20)
    loss = [fast[node].path(link)["loss_permille"] for node in lab.pair for link in PRIVATE]
    lab.heal()
    assert owners.takeovers(since) == 0
    assert lab.owner() is lab.alpha
    # A machine that itself stands still for that long is rightly called silent.
    if noise.longest(since) < 15:
        for node in lab.pair:
            assert not fast[node].has_event("node_lost", before[node.name])
    assert min(loss) > 100, f"the loss is not counted: {loss}"


def split_and_heal(world, lab, cluster, probe, links):
    """Both become owners; after healing one remains at once and the client reaches it."""
    client = probe()
    before = {node.name: cluster[node].last_event() for node in lab.pair}
    lab.split(links)
    wait_until(lambda: len(lab.owners()) == 2, 10, "both nodes took the address")
    time.sleep(1)
    lab.heal()
    healed = now()
    owner = wait_until(lab.owner, 5, "one owner")
    assert now() - healed <= 1.1, "longer than a second until one owner was left"
    client.wait_answer(node=owner)
    time.sleep(1)
    assert client.outage(healed) <= 1000
    assert lab.owner() is owner
    for kind in ("group_conflict", "group_conflict_over"):
        wait_until(lambda: any(cluster[node].has_event(kind, before[node.name])
                               for node in lab.pair), 5, f"the event {kind}")
    settled = cluster.settle(owner)
    assert settled.node is owner


def test_split_and_heal(world, lab, slow, probe):
    """The two nodes do not hear each other anywhere, the client hears both."""
    split_and_heal(world, lab, slow, probe, ("red", "blue", "pub"))


def test_split_and_heal_again(world, lab, slow, probe):
    """Now the other node has the higher term to begin with."""
    slow.switch(lab.beta)
    split_and_heal(world, lab, slow, probe, ("red", "blue", "pub"))


def test_private_paths_cut_only(lab, slow, probe, owners):
    """All heartbeats are gone, but the owner still answers on the public network: the conflict
    probe hears it, so the address is not taken and the group is held with an alarm."""
    client = probe()
    since = now()
    before = slow.beta.last_event()
    lab.split(PRIVATE)
    wait_until(lambda: slow.beta.has_event("group_held", before), 10, "the group is held on beta")
    time.sleep(1)
    assert owners.both_ms(since) == 0
    assert lab.owner() is lab.alpha
    lab.heal()
    slow.settle(lab.alpha)
    assert client.moves(since) == 0


def test_heartbeats_are_regular(lab, slow, noise):
    """The longest gap between heartbeats on the wire, without a fault: interval + 50 ms at most."""
    interval = slow.alpha.status()["interval_ms"]
    frames = Frames(lab, lab.alpha, "red", "udp:4747")
    since = now() + 0.5
    try:
        time.sleep(3)
        until = now() - 0.1
        assert len([t for t in frames.times() if t > since]) >= 20
        assert frames.longest_gap(since, until) - noise.longest(since) <= interval + 50
    finally:
        frames.close()


def test_owner_announces_after_link_back(lab, slow, probe):
    """The client's switch and neighbour tables may be stale after the link was away a moment."""
    client = probe()
    lab.cut("pub", "alpha")
    time.sleep(0.3)
    lab.heal()
    client.wait_answer(timeout=3)
    assert lab.owner().has(SERVICE)
