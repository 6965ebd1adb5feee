"""Heartbeats over a shared disk, as one path of three and as the only one: what goes over it, what
becomes of it when the disk hangs or is not what it should be, and who does not notice."""

import os
import re
import signal

import pytest

from arrays import Array, is_in_kernel
from lab import BUILD, now, run, wait_until
from service import Cluster

GROUPS = ["web", "mail", "files"]
PATH = "platter"
LAYOUT_AT = 4


def group_text(index, name, exclusive="no"):
    """Each with an address of its own; the first one has the lab's."""
    return (f'group "{name}" {{\n  exclusive = {exclusive}\n  nodes = {{ "alpha", "beta" }}\n'
            f'  resource "{name}-ip" {{\n    type = address\n'
            f'    address = "10.9.0.{100 + index}/24"\n    interface = "pub"\n  }}\n}}\n')


class Platter:
    """A file that both nodes write past the cache."""

    def __init__(self, lab):
        self.lab = lab
        self.file = lab.dir / "platter"
        self.key = lab.dir / "platter.key"
        self.conf = lab.dir / "platter.conf"
        self.key.touch(0o600)
        self.key.write_text("00" * 32 + "\n")
        # The cluster's name is what a path goes by.  The key is that of no node: posts need none.
        self.conf.write_text(
            f'cluster {{ name = "lab"  key_file = "{self.key}" }}\n'
            'node "alpha" { path "p" { address = "10.1.0.1" } }\n'
            'node "beta" { path "p" { address = "10.1.0.2" } }\n' + group_text(0, "web"))
        self.file.write_bytes(bytes(64 * 1024))

    def init(self, conf=None):
        run("env", f"YOKE_CONF={conf or self.conf}", BUILD / "yoke", "disk", "init", "--force",
            self.file)

    def poke(self, offset, data):
        with self.file.open("r+b") as file:
            file.seek(offset)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


@pytest.fixture(scope="module")
def made(world):
    yield Platter(world.lab)
    world.stop()


@pytest.fixture
def platter(made):
    made.init()
    return made


@pytest.fixture
def beside(world, platter):
    """A disk beside two UDP paths."""
    return world.ready(snmp=False, disk=platter.file)


@pytest.fixture
def alone(world, platter):
    """Nothing but a disk, and three groups."""
    groups = "".join(group_text(i, name) for i, name in enumerate(GROUPS))
    return world.ready(snmp=False, disk=platter.file, links=(), groups=groups)


def wait_state(cluster, node, wanted, timeout=10):
    wait_until(lambda: cluster[node].path(PATH)["state"] == wanted, timeout,
               f"{node}: {PATH} is {wanted}")


def wait_owner(cluster, name, owner, timeout=20):
    for node in ("alpha", "beta"):
        wait_until(lambda at=node: (cluster[at].group(name)["owner_name"],
                                    cluster[at].group(name)["state"]) == (owner, "started"),
                   timeout, f"{node} shows {name} started on {owner}")


def wait_online(lab, cluster):
    for node in lab.pair:
        wait_until(lambda at=node: cluster[at].peer_state(lab.other(at).name) == "online", 5,
                   f"{node.name} is in contact")


def wait_reason(cluster, node, reason):
    wait_until(lambda: cluster[node].path(PATH)["reason"] == reason, 10, f"{node} says: {reason}")


def troubles(yoke):
    """What grows when a UDP heartbeat is late, or when the engine does not run."""
    return ([(p["name"], p["delayed"], p["flaps"]) for p in yoke.status()["paths"]
             if p["type"] == "udp"],
            sum(event["kind"] in ("stall", "turn_long") for event in yoke.events()))


def test_disk_beside_udp(lab, beside, platter, owners):
    """It is a path as the others are; when they are cut it carries on: nothing moves, the state is
    known, and what a person asks for is done."""
    path = beside.alpha.path(PATH)
    assert path["type"] == "disk" and path["state"] == "up" and path["reason"] == ""
    assert path["local"] == str(platter.file) and path["interval_ms"] == 200
    shown = beside.alpha.cli("status").stdout
    assert re.search(rf"{PATH} +disk +beta +up", shown), shown
    since, before = now(), beside.alpha.last_event()
    lab.split()
    for node in lab.pair:
        for name in ("red", "blue"):
            wait_until(lambda at=node, link=name: beside[at].path(link)["state"] == "down", 10,
                       f"{name} is down")
        assert beside[node].peer_state(lab.other(node).name) == "online"
    for owner in ("beta", "alpha"):
        wait_until(lambda: not beside.alpha.is_busy(), 20, "no operation runs")
        beside.alpha.order("switch", group="web", node=owner)
        wait_owner(beside, "web", owner)
        assert lab.owner() is lab.nodes[owner]
    assert not beside.alpha.has_event("node_lost", before)
    assert owners.both_ms(since) == 0
    lab.heal()
    wait_until(lambda: beside.alpha.path("red")["state"] == "up", 10, "red is back")


def test_disk_is_written_five_times_a_second(beside):
    since, before = now(), beside.alpha.path(PATH)
    wait_until(lambda: now() - since >= 4, 5, "four seconds of heartbeats", every=0.1)
    after = beside.alpha.path(PATH)
    assert 3 < (after["sent"] - before["sent"]) / (now() - since) < 8
    assert after["missed"] - before["missed"] <= 1


def test_power_cut_with_a_disk_alone(world, lab, alone, probe):
    """Taken over within the bound that `yoke check` prints; the last post stands there and is no
    life, also not for another engine."""
    told = alone.alpha.cli("check", alone.alpha.config).stdout
    assert "path platter, on a disk: heartbeat every 200 ms" in told
    bound_ms = int(re.search(r"at most (\d+) ms after its last heartbeat", told).group(1))
    client = probe()
    since = now()
    at = lab.alpha.power_cut()
    client.wait_answer(timeout=20, node=lab.beta, since=since)
    outage = client.outage(at)
    assert outage <= bound_ms + 100, "an address takes a few ms to start"
    for name in GROUPS:
        wait_until(lambda group=name: (alone.beta.group(group)["owner_name"],
                                       alone.beta.group(group)["state"]) == ("beta", "started"),
                   5, f"{name} runs on beta")
    old = alone.beta.engine()
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: alone.beta.engine() not in (None, old), 10, "another engine")
    wait_until(lambda: alone.beta.group("web")["state"] == "started", 10, "it goes on")
    wait_until(lambda: alone.beta.path(PATH)["received"] > 0, 10, "it has read the last post")
    assert alone.beta.path(PATH)["state"] != "up"
    assert alone.beta.peer_state("alpha") in ("unknown", "lost")
    assert world.owners.both_ms(since) == 0


def test_switchover_over_a_disk_alone(lab, alone, probe):
    """All of them, one after the other, asked for at the node that has them; and back."""
    client = probe()
    since = now()
    for node, other in (("alpha", "beta"), ("beta", "alpha")):
        for name in GROUPS:
            wait_until(lambda at=node: not alone[at].is_busy(), 20, "no operation runs")
            done = alone[node].cli("switch", name, other)
            assert done.returncode == 0, done.stdout + done.stderr
            wait_owner(alone, name, other)
    assert client.outage(since) < 2000
    wait_online(lab, alone)


def test_exclusive_groups_over_a_disk_alone(world, lab, platter, owners):
    """Grants and leases go over it as well: nothing stops by itself, and a switch is allowed."""
    groups = "".join(group_text(i, name, "yes") for i, name in enumerate(GROUPS))
    cluster = world.ready(snmp=False, disk=platter.file, links=(), groups=groups)
    since = now()
    for owner in ("beta", "alpha"):
        wait_until(lambda: not cluster.alpha.is_busy(), 20, "no operation runs")
        done = cluster.alpha.cli("switch", "web", owner)
        assert done.returncode == 0, done.stdout + done.stderr
        wait_owner(cluster, "web", owner)
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 2
    wait_online(lab, cluster)


def test_one_disk_for_a_lock_and_a_path(world, lab, platter, owners):
    """The arbiter writes its slots, the path its posts; what is left goes over the lock's disk."""
    text = (f'arbiter "quorum" {{\n  type = disk\n  device = "{platter.file}"\n'
            "  test_ms = 1000\n}\n" + group_text(0, "web", "yes"))
    lab.restore()
    world.stop()
    cluster = Cluster(lab, start=False, snmp=False, disk=platter.file, groups=text)
    try:
        platter.init(cluster.alpha.config)
        for node in lab.pair:
            cluster[node].start()
        cluster.settle()
        since = now()
        cluster.switch(lab.alpha)
        lab.split()
        for node in lab.pair:
            wait_until(lambda at=node: cluster[at].path("red")["state"] == "down", 10, "a split")
            asked = cluster[node].status()["arbiters"][0]["tested_wall_ms"]
            wait_until(lambda at=node, before=asked:
                       cluster[at].status()["arbiters"][0]["tested_wall_ms"] > before + 1000, 10,
                       "the lock was tried again")
            assert cluster[node].status()["arbiters"][0]["state"] == "ready"
            assert cluster[node].path(PATH)["state"] == "up"
        assert owners.both_ms(since) == 0 and lab.owner() is lab.alpha
    finally:
        lab.heal()
        cluster.stop()


def test_stalled_disk_delays_nothing(lab, beside, owners):
    """The process that waits for alpha's disk does not go on: the path is down and says why, the
    others beat as ever; it comes back by itself."""
    since = now()
    before = {node.name: troubles(beside[node]) for node in lab.pair}
    old, waits = beside.alpha.engine(), beside.alpha.pids("post")[0]
    os.kill(waits, signal.SIGSTOP)
    try:
        wait_reason(beside, "alpha", "the disk does not answer")
        for node in ("alpha", "beta"):
            wait_until(lambda at=node: beside[at].path(PATH)["state"] != "up", 10,
                       f"{node}: {PATH} is not up")
        assert beside.alpha.engine() == old
        wait_until(lambda: beside.alpha.path(PATH)["state"] == "down", 10, "down, not late")
        shown = beside.alpha.cli("status").stdout
        assert re.search(rf"{PATH} +disk +beta +down .*the disk does not answer", shown), shown
        assert {node.name: troubles(beside[node]) for node in lab.pair} == before
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: beside.alpha.engine() not in (None, old), 10, "another engine")
        wait_reason(beside, "alpha", "the disk does not answer")
        assert beside.alpha.path("red")["state"] == "up"
    finally:
        os.kill(waits, signal.SIGCONT)
    for node in ("alpha", "beta"):
        wait_state(beside, node, "up")
    assert beside.alpha.path(PATH)["reason"] == ""
    assert owners.takeovers(since) == 0


def wait_lock(yoke, state, reason=""):
    wait_until(lambda: [(a["state"], a["reason"]) for a in yoke.status()["arbiters"]] ==
               [(state, reason)], 10, f"the lock is {state}: {reason}")


def test_lock_whose_disk_stalls_is_an_alarm(outside, owners):
    """The process that waits for alpha's disk does not go on: no heartbeat is late, nothing stops,
    and the lock works again by itself, for the next engine, too."""
    one = outside("disk")
    alpha, beta = one.cluster.alpha, one.cluster.beta
    since, seen = now(), alpha.last_event()
    before = {yoke.node.name: troubles(yoke) for yoke in (alpha, beta)}
    old, waits = alpha.engine(), alpha.pids("disk")[0]
    os.kill(waits, signal.SIGSTOP)
    try:
        wait_lock(alpha, "failed", "the disk does not answer")
        assert alpha.has_event("arbiter_failed", seen)["severity"] == "warning"
        assert alpha.status()["condition"] == "degraded" and alpha.engine() == old
        wait_lock(beta, "ready")
        assert {yoke.node.name: troubles(yoke) for yoke in (alpha, beta)} == before
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: alpha.engine() not in (None, old), 10, "another engine")
        wait_lock(alpha, "failed", "the disk does not answer")
    finally:
        os.kill(waits, signal.SIGCONT)
    wait_lock(alpha, "ready")
    assert alpha.has_event("arbiter_ready", seen) and alpha.pids("disk") == [waits]
    one.cluster.settle(one.lab.alpha)
    assert owners.takeovers(since) == 0 and owners.both_ms(since) == 0


@pytest.fixture
def hanging(world):
    """A disk on an array."""
    with Array(world.lab.dir) as array:
        platter = Platter(world.lab)
        platter.file = array.place / "platter"
        platter.file.write_bytes(bytes(64 * 1024))
        platter.init()
        yield platter, array
        array.thaw()
        world.stop()


def exchanges(yoke):
    """How often the program was exchanged."""
    return yoke.process.text().count("goes on with what runs")


def test_disk_that_hangs_in_the_kernel(world, lab, hanging, owners):
    """The array hangs for both nodes: every write waits in the kernel, for as long as it likes."""
    platter, array = hanging
    cluster = world.ready(snmp=False, disk=platter.file)
    since, before = now(), {node.name: troubles(cluster[node]) for node in lab.pair}
    engine, exchanged = cluster.alpha.engine(), exchanges(cluster.alpha)
    array.freeze()
    for node in ("alpha", "beta"):
        wait_until(lambda at=node: is_in_kernel(cluster[at].pids("post")[0]), 5, "it waits")
        wait_reason(cluster, node, "the disk does not answer")
        wait_state(cluster, node, "down")
    cluster.alpha.order("switch", group="web", node="beta")
    wait_owner(cluster, "web", "beta")
    assert {node.name: troubles(cluster[node]) for node in lab.pair} == before
    os.kill(cluster.alpha.pids("keeper")[0], signal.SIGUSR2)
    wait_until(lambda: cluster.alpha.engine() not in (None, engine), 10, "another engine")
    assert exchanges(cluster.alpha) == exchanged + 1, "an upgrade does not wait"
    wait_until(lambda: cluster.alpha.peer_state("beta") == "online", 10, "alpha hears beta")
    assert cluster.alpha.leave() == 0
    cluster.alpha.start()
    wait_until(lambda: cluster.alpha.peer_state("beta") == "online", 10, "alpha hears beta")
    array.thaw()
    for node in ("alpha", "beta"):
        wait_state(cluster, node, "up")
        wait_reason(cluster, node, "")
    assert owners.takeovers(since) == 1 and owners.both_ms(since) == 0


def test_disk_of_an_older_yoke(beside, platter):
    """A header of layout 1 has no room for posts; made ready anew, the path is back by itself."""
    platter.poke(LAYOUT_AT, b"\x01")
    for node in ("alpha", "beta"):
        wait_reason(beside, node,
                    "an older yoke made it ready, for no heartbeats: 'yoke disk init --force'")
        wait_state(beside, node, "down")
    platter.init()
    for node in ("alpha", "beta"):
        wait_state(beside, node, "up")
        wait_reason(beside, node, "")


def test_disk_of_another_cluster_and_none(beside, platter):
    for garbage, reason in ((bytes(4096), "it is not made ready: 'yoke disk init' does that"),
                            (None, "it cannot be opened: No such file or directory")):
        if garbage:
            platter.poke(0, garbage)
            wait_reason(beside, "beta", reason)
            platter.init()
        else:
            away = platter.file.with_suffix(".away")
            platter.poke(0, bytes(4096))
            platter.file.rename(away)
            wait_reason(beside, "beta", reason)
            away.rename(platter.file)
            platter.init()
        for node in ("alpha", "beta"):
            wait_state(beside, node, "up")


def test_slow_upgrade_on_a_disk_alone(lab, alone, owners):
    """The new program waits for its state, which is on a disk of its own: meanwhile the engine of
    the one before has the shared disk."""
    since, alpha = now(), alone.alpha
    engine, saver, waits = alpha.engine(), alpha.pids("saver"), alpha.pids("post")[0]
    record = alpha.state_dir / "record"
    wait_until(lambda: not alpha.is_busy(), 20, "nothing is to be saved")
    good = record.read_bytes()
    record.unlink()
    os.mkfifo(record, 0o600)
    os.kill(alpha.pids("keeper")[0], signal.SIGUSR2)
    wait_until(lambda: alpha.pids("saver") not in ([], saver), 10, "the new program reads it")
    before = alone.beta.path(PATH)["received"]
    wait_until(lambda: alone.beta.path(PATH)["received"] > before + 5, 5, "beta hears alpha")
    assert alpha.engine() == engine and waits in alpha.pids("post")
    with record.open("wb") as disk:
        disk.write(good)
    wait_until(lambda: alpha.engine() not in (None, engine), 10, "the next engine")
    wait_until(lambda: waits not in alpha.pids("post"), 5, "the process of before has ended")
    for node in ("alpha", "beta"):
        wait_state(alone, node, "up")
    assert owners.takeovers(since) == 0


@pytest.mark.parametrize("role, number", [("engine", signal.SIGKILL), ("keeper", signal.SIGUSR2),
                                          ("post", signal.SIGKILL)],
                         ids=["restart", "upgrade", "post"])
def test_another_process_on_a_disk_alone(lab, alone, owners, role, number):
    """The disk is had anew; the other node does not take over."""
    since = now()
    wanted = "post" if role == "post" else "engine"
    old = alone.alpha.pids(wanted)[0]
    before = alone.beta.last_event()
    os.kill(alone.alpha.pids(role)[0], number)
    wait_until(lambda: alone.alpha.pids(wanted) and alone.alpha.pids(wanted)[0] != old, 10,
               f"another {wanted}")
    for node in lab.pair:
        wait_until(lambda at=node: alone[at].peer_state(lab.other(at).name) == "online" and
                   alone[at].path(PATH)["state"] == "up", 20, f"{node.name} sees the other")
    assert not alone.beta.has_event("node_lost", before)
    assert owners.takeovers(since) == 0 and lab.owner() is lab.alpha
