"""Paths that come and go, and the public one: what is left carries on, and nothing moves."""

import contextlib
import time

import pytest

from lab import now, wait_until
from measure import Frames

PRIVATE = ("red", "blue")
ALL = ("red", "blue", "pub")
FULL_MS, SLOW_MS = 100, 1000


def wait_state(cluster, name, wanted, nodes=("alpha", "beta"), timeout=10):
    for node in nodes:
        wait_until(lambda at=node: cluster[at].path(name)["state"] == wanted, timeout,
                   f"{node}: {name} is {wanted}")


def wait_interval(cluster, wanted):
    for node in ("alpha", "beta"):
        wait_until(lambda at=node: cluster[at].path("pub")["interval_ms"] == wanted, 5,
                   f"{node}: a heartbeat on pub every {wanted} ms")


def heartbeats(lab, node, link, seconds=3):
    """How many a node's peer is sent on a link in a second, as the wire has it."""
    frames = Frames(lab, node, link, "udp:4747")
    try:
        began = now() + 0.3
        time.sleep(seconds + 0.4)
        times = [t for t in frames.times() if began < t < began + seconds]
    finally:
        frames.close()
    return len(times) / seconds


@contextlib.contextmanager
def without(lab, node, link):
    node.remove_card(link)
    try:
        yield
    finally:
        node.add_card(link)
        lab.ports.look()


@pytest.fixture
def public(world):
    """The clients' network is a path, too."""
    cluster = world.ready(snmp=False, links=ALL, public=("pub",))
    wait_interval(cluster, SLOW_MS)
    return cluster


@pytest.fixture(params=[4, 6])
def family(request):
    return request.param


@pytest.fixture(params=[(), PRIVATE], ids=["unicast", "multicast"])
def paths(world, family, request):
    """Without a public path, over IPv4 and IPv6."""
    return world.ready(snmp=False, family=family, multicast=request.param)


@pytest.fixture
def multicast(world, family):
    return world.ready(snmp=False, family=family, multicast=PRIVATE)


def test_private_paths_cut_with_a_public_one_left(lab, public, owners):
    """The public path takes over the heartbeats, at full rate, and nothing else changes."""
    since, before = now(), {node.name: public[node].last_event() for node in lab.pair}
    flaps = [public[node].path("pub")["flaps"] for node in lab.pair]
    slow = heartbeats(lab, lab.alpha, "pub")
    assert 0.6 <= slow <= 2.5, f"{slow} heartbeats in a second while others are up"
    lab.split(PRIVATE)
    for name in PRIVATE:
        wait_state(public, name, "down")
    wait_interval(public, FULL_MS)
    full = heartbeats(lab, lab.alpha, "pub")
    assert 8 <= full <= 25, f"{full} heartbeats in a second when it is the last"
    for node in lab.pair:
        assert public[node].path("pub")["state"] == "up"
        assert public[node].peer_state(lab.other(node).name) == "online"
        assert not public[node].has_event("node_lost", before[node.name])
        assert not public[node].has_event("group_held", before[node.name])
    lab.heal()
    wait_interval(public, SLOW_MS)
    assert [public[node].path("pub")["flaps"] for node in lab.pair] == flaps
    assert owners.takeovers(since) == 0
    assert lab.owner() is lab.alpha


def test_private_paths_cut_one_way_with_a_public_one_left(lab, public, owners):
    """beta hears nothing on private paths; alpha, who still hears, answers on the public one."""
    since, before = now(), {node.name: public[node].last_event() for node in lab.pair}
    for link in PRIVATE:
        lab.block(link, "alpha", "beta")
    wait_state(public, "red", "down", ["beta"])
    wait_state(public, "red", "oneWay", ["alpha"])
    wait_interval(public, FULL_MS)
    lab.heal()
    wait_interval(public, SLOW_MS)
    for node in lab.pair:
        assert not public[node].has_event("node_lost", before[node.name])
        for kind in ("path_down", "path_one_way"):
            assert not public[node].has_event(kind, before[node.name], path_name="pub")
    assert owners.takeovers(since) == 0


def test_power_cut_is_found_as_fast_with_a_public_path(lab, public):
    """A slow path does not make a dead node live longer: it was heard up to a second ago."""
    before = public.beta.last_event()
    at = lab.alpha.power_cut()
    wait_until(lambda: public.beta.has_event("node_lost", before), 5, "alpha is lost")
    wait_until(lambda: lab.owner() is lab.beta, 5, "beta has the address")
    took = now() - at
    assert took < 1.6, f"taken over after {took:.2f} s, with dead_ms = 1000"


def count(cluster, node, kind, after):
    return sum(e["kind"] == kind for e in cluster[node].events(after))


def test_one_path_is_left_and_no_longer(lab, slow):
    """An alarm, once, and its end, on both nodes; a path that is away for a moment is none."""
    before = {node.name: slow[node].last_event() for node in lab.pair}
    lab.split(["red"])
    wait_state(slow, "red", "down")
    lab.heal()
    wait_state(slow, "red", "up")
    lab.split(["red"])
    for node in lab.pair:
        wait_until(lambda at=node: count(slow, at, "jeopardy", before[at.name]) == 1, 8,
                   f"{node.name} says that one path is left")
    time.sleep(4)
    assert all(count(slow, node, "jeopardy", before[node.name]) == 1 for node in lab.pair)
    assert all(count(slow, node, "jeopardy_over", before[node.name]) == 0 for node in lab.pair)
    lab.heal()
    for node in lab.pair:
        wait_until(lambda at=node: count(slow, at, "jeopardy_over", before[at.name]) == 1, 5,
                   f"{node.name} says that there are more again")


def test_public_path_alone_is_an_alarm(lab, public, owners):
    since, before = now(), public.beta.last_event()
    lab.split(PRIVATE)
    event = wait_until(lambda: public.beta.has_event("jeopardy", before), 8, "an alarm on beta")
    assert event["path_name"] == "pub" and "it is public" in event["text"]
    lab.heal()
    wait_until(lambda: public.beta.has_event("jeopardy_over", before), 5, "its end")
    assert owners.takeovers(since) == 0


def test_multicast_is_up_both_ways(lab, multicast, family):
    """Through a switch that lets nothing else pass, and nothing is refused."""
    wanted = {4: "239.0.0.7:4747", 6: "[ff15::7]:4747"}[family]
    lab.rules.append("ether daddr & 01:00:00:00:00:00 == 0 udp dport 4747 drop")
    lab.apply()
    heard = {(node.name, name): multicast[node].path(name)["received"]
             for node in lab.pair for name in PRIVATE}
    for (node, name), before in heard.items():
        wait_until(lambda at=node, on=name, old=before:
                   multicast[at].path(on)["received"] > old + 20, 5, f"{node}: {name} is heard")
        path = multicast[node].path(name)
        assert path["state"] == "up" and path["multicast"] == wanted
        refused = {key: value for key, value in path.items()
                   if key.startswith("refused") and value}
        assert not refused, refused
    lab.heal()


def test_power_cut_is_found_over_multicast(lab, multicast):
    before = multicast.beta.last_event()
    at = lab.alpha.power_cut()
    wait_until(lambda: multicast.beta.has_event("node_lost", before), 5, "alpha is lost")
    wait_until(lambda: lab.owner() is lab.beta, 5, "beta has the address")
    took = now() - at
    assert took < 1.6, f"taken over after {took:.2f} s, with dead_ms = 1000"


def test_interface_vanishes_and_comes_back(lab, paths, owners):
    since = now()
    with without(lab, lab.alpha, "red"):
        wait_state(paths, "red", "down")
        assert all(paths[node].path("blue")["state"] == "up" for node in lab.pair)
    wait_state(paths, "red", "up", timeout=5)
    assert owners.takeovers(since) == 0


def test_interface_is_another_one_from_one_moment_to_the_next(lab, paths, owners):
    """Between two heartbeats, so that nobody saw it without one."""
    since, heard = now(), paths.beta.path("red")["received"]
    with without(lab, lab.alpha, "red"):
        pass
    wait_until(lambda: paths.beta.path("red")["received"] > heard + 10, 5, "red is heard again")
    wait_state(paths, "red", "up", timeout=5)
    assert owners.takeovers(since) == 0


def test_address_of_a_path_changes_and_comes_back(lab, paths, owners):
    since = now()
    is_six, is_multicast = paths.alpha.keys["family"] == 6, bool(paths.alpha.keys["multicast"])
    old = f"{lab.alpha.address6('red')}/64" if is_six else f"{lab.alpha.address('red')}/24"
    new = "fd01::77/64" if is_six else "10.1.0.77/24"
    lab.alpha.ip(f"address del {old} dev red", f"address add {new} dev red")
    # Over IPv6 the kernel goes on sending from an address that is no more, and receiving multicast.
    wait_state(paths, "red", "oneWay" if is_six and is_multicast else "down", ["alpha"])
    wait_state(paths, "red", "oneWay" if is_six and not is_multicast else "down", ["beta"])
    lab.alpha.ip(f"address del {new} dev red",
                 f"address add {old} dev red{' nodad' if is_six else ''}")
    wait_state(paths, "red", "up", timeout=5)
    assert owners.takeovers(since) == 0


@contextlib.contextmanager
def forgetful(lab, link):
    """The kernels ask for a neighbour again within two seconds, and give it up soon."""
    short = {"base_reachable_time_ms": 500, "delay_first_probe_time": 1, "retrans_time_ms": 50}
    files = [f"/proc/sys/net/ipv{family}/neigh/{link}/{name}" for family in (4, 6)
             for name in short]
    before = {node: [node.run("cat", file).strip() for file in files] for node in lab.pair}
    for node in lab.pair:
        for file in files:
            node.run("sh", "-c", f"echo {short[file.rpartition('/')[2]]} > {file}")
    try:
        yield
    finally:
        for node in lab.pair:
            for file, value in zip(files, before[node]):
                node.run("sh", "-c", f"echo {value} > {file}")


def test_path_that_works_asks_for_no_neighbour(lab, paths):
    """On a link that loses much, what the kernel asks is lost, too: it would give the neighbour up,
    and send nothing for seconds."""
    with forgetful(lab, "red"):
        before = [paths[node].path("red") for node in lab.pair]
        for kind in ("ether type arp",
                     "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert }"):
            lab.rules += [f'iifname "red-{node.name}" {kind} drop' for node in lab.pair]
        lab.apply()
        for node in lab.pair:
            peer = lab.other(node)
            address = peer.address6("red") if paths.alpha.keys["family"] == 6 \
                else peer.address("red")
            node.ip(f"neighbour change {address} dev red nud stale")
        since = now()
        wait_until(lambda: now() - since > 4, 8, "four seconds have passed", every=0.1)
        for node, old in zip(lab.pair, before):
            path = paths[node].path("red")
            assert (path["state"], path["flaps"]) == ("up", old["flaps"])
            assert path["missed"] == old["missed"]
        lab.heal()


def test_engine_is_started_before_its_interface_exists(lab, paths):
    with without(lab, lab.alpha, "red"):
        paths.alpha.leave()
        paths.alpha.start()
        wait_state(paths, "blue", "up")
        assert paths.alpha.path("red")["state"] == "noPeer"
    wait_state(paths, "red", "up", timeout=5)
