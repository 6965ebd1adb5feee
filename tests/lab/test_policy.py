"""What people want of their groups, and a look ahead: maintenance, parallel groups, order, and what
would happen if something failed."""

import json
import os

import pytest

from lab import SERVICE, now, run, wait_until
from measure import Echo, Owners
from service import sample

EXCLUSIVE = """group "web" {{
  nodes = {{ "alpha", "beta" }}
  resource "vip" {{
    type = address
    address = "{address}/24"
    interface = "pub"
  }}
}}
"""

# A program on both nodes, and an address where one of them runs.
POOL = """group "pool" {{
  mode = parallel
  resource "worker" {{
    type = script
    program = "{program}"
    monitor_interval_ms = 200
    restarts = 0
  }}
}}
group "web" {{
  exclusive = no
  after = "pool"
  nodes = {{ "alpha", "beta" }}
  resource "vip" {{
    type = address
    address = "{address}/24"
    interface = "pub"
  }}
}}
"""

WORKER = """#!/bin/sh
# Runs as long as its file is there; told to fail by another one.
mine="$(dirname "$0")/$YOKE_NODE"
case $1 in
start) [ -e "$mine.broken" ] && exit 1; touch "$mine.runs" ;;
stop) rm -f "$mine.runs" ;;
status) [ -e "$mine.runs" ] || exit 3 ;;
esac
"""


def states(yoke, group):
    """node -> state of a group, as this node sees it."""
    status = yoke.status()
    number = next(i for i, g in enumerate(status["groups"], 1) if g["name"] == group)
    names = [n["name"] for n in status["nodes"]]
    return {names[m["node"] - 1]: m["state"] for m in status["members"] if m["group"] == number}


# ---- maintenance

def test_what_is_in_maintenance_is_watched_and_left_alone(world, lab, slow):
    before = slow.alpha.last_event()
    done = slow.alpha.cli("maintenance", "group", "web", "--reason", "ticket 12")
    assert done.returncode == 0, done.stderr
    run("ip", "-n", lab.alpha.space, "address", "del", f"{SERVICE}/24", "dev", "pub")
    wait_until(lambda: slow.alpha.has_event("resource_failed", before), 5, "it is seen")
    assert "in maintenance" in slow.beta.cli("status").stdout
    assert slow.beta.cli("switch", "web", "beta").returncode == 1
    at = now()
    lab.alpha.power_cut()
    wait_until(lambda: slow.beta.has_event("node_lost", 0), 5, "beta sees that alpha is lost")
    wait_until(lambda: slow.beta.has_event("not_ready", 0), 15, "and says that it is not ready")
    assert not lab.beta.has() and world.owners.both_ms(at) == 0
    done = slow.beta.cli("resume", "group", "web")
    assert done.returncode == 0, done.stderr
    wait_until(lab.beta.has, 5, "when it ends, beta takes over")


def test_an_upgrade_in_maintenance_stops_nothing(world, lab, slow, probe):
    """Everything of yoke is stopped and started; the service is not touched."""
    client = probe()
    assert slow.alpha.cli("maintenance").returncode == 0
    since = now()
    for yoke in (slow.alpha, slow.beta):
        yoke.leave()
    assert lab.alpha.has()
    for yoke in (slow.alpha, slow.beta):
        yoke.start()
    wait_until(lambda: all(y.peer_state(n) == "online" for y in (slow.alpha, slow.beta)
                           for n in ("alpha", "beta")), 20, "both are back")
    assert slow.beta.status()["maintenance"] is True
    assert slow.beta.cli("resume").returncode == 0
    wait_until(lambda: slow.alpha.group()["state"] == "started", 5, "web was taken over as it is")
    client.wait_answer()
    assert client.outage(since) <= 100


def test_maintenance_by_snmp(world, lab, snmp, manager, mib):
    oid = mib.oid("yokeControlMaintenance", 0)
    assert manager.set(lab.alpha, oid, "i", 1).returncode == 0
    wait_until(lambda: manager.get(lab.beta, mib.oid("yokeClusterInMaintenance", 0)) == "1", 5,
               "the other node's MIB says so")
    assert manager.get(lab.alpha, mib.oid("yokeUnreadyReason", 1)) == "in maintenance: the cluster"
    assert manager.set(lab.beta, oid, "i", 2).returncode == 0
    wait_until(lambda: not snmp.alpha.status()["maintenance"], 5, "alpha has heard that it ended")


# ---- parallel groups and order

@pytest.fixture
def worker(world, lab):
    """The program; the folder of its files is made anew."""
    folder = lab.dir / "worker"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    for name in os.listdir(folder):
        (folder / name).unlink()
    program = folder / "worker"
    program.write_text(WORKER)
    program.chmod(0o755)
    yield program
    world.stop()


@pytest.fixture
def pool(world, worker):
    groups = POOL.format(program=worker, address=SERVICE)
    return world.ready(snmp=False, groups=groups), worker.parent


def test_a_program_on_both_and_its_address_where_it_runs(world, lab, pool):
    cluster, folder = pool
    both = {"alpha": "started", "beta": "started"}
    assert states(cluster.alpha, "pool") == both and states(cluster.beta, "pool") == both
    assert (folder / "alpha.runs").exists() and (folder / "beta.runs").exists()
    (folder / "alpha.broken").touch()
    (folder / "alpha.runs").unlink()
    wait_until(lab.beta.has, 10, "the address goes where the program runs")
    assert states(cluster.beta, "pool")["beta"] == "started"
    group = cluster.beta.group("pool")
    assert group["parallel"] and group["condition"] == "degraded"


OTHER = "10.9.0.101"


@pytest.fixture
def two(world, worker):
    """The groups of the sample, on the lab's network; its addresses are told by the kernel."""
    groups = sample("pool.conf", (r"\A(?s:.*?)^(?=group )", ""), ("/etc/init.d/nginx", str(worker)),
                    (r"192\.0\.2\.11", SERVICE), (r"192\.0\.2\.12", OTHER), ('"eth0"', '"pub"'),
                    ('"web1"', '"web"'), ("failback_ms = 60000", "failback_ms = 2000"))
    cluster = world.ready(snmp=False, groups=groups)
    other = Owners(world.lab, OTHER, name="owners-other")
    yield cluster, {SERVICE: world.owners, OTHER: other}
    other.close()


def test_each_has_its_own_address_and_takes_over_the_others(world, lab, two, probe):
    """One node lost: both addresses on the one that is left, for the clients, too; it is back:
    each has its own.  No node has the other's for a moment longer than that."""
    cluster, told = two
    clients = {address: probe(address, f"probe-{address}") for address in told}
    own = {SERVICE: lab.alpha, OTHER: lab.beta}

    def each_has_its_own():
        return all(lab.owner(address) is node for address, node in own.items())
    wait_until(each_has_its_own, 10, "each has its own address")
    since = now()
    for victim in lab.pair:
        left, at = lab.other(victim), now()
        victim.power_cut()
        for client in clients.values():
            client.wait_answer(node=left, since=at)
        assert all(lab.owner(address) is left for address in own)
        victim.power_on()
        world.echo[victim.name] = Echo(victim)
        cluster[victim].start()
        wait_until(each_has_its_own, 20, "each has its own address again")
        for address, node in own.items():
            clients[address].wait_answer(node=node)
        cluster.settle(lab.alpha)
    for address, owners in told.items():
        assert owners.both_ms(since) == 0, address
        assert owners.takeovers(since) == 2, f"{address}: there and back"


# ---- what would happen

def simulate(yoke, *arguments):
    return yoke.node.try_run("env", f"YOKE_CONF={yoke.config}", yoke.bin / "yoke", "simulate",
                             "--socket", yoke.socket, *arguments)


def steps_of(done):
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [e for line in lines for e in line.get("events", [])], lines[-1]["groups"]


def test_what_is_foretold_is_what_happens(world, lab, slow):
    done = simulate(slow.beta, "--fail", "alpha", "--json")
    assert done.returncode == 0, done.stderr
    foretold, groups = steps_of(done)
    assert groups == [{"name": "web", "owner": "beta", "after_s": groups[0]["after_s"]}]
    assert 0.9 < groups[0]["after_s"] <= 1.1
    assert lab.owner() is lab.alpha, "nothing was touched"
    before = slow.beta.last_event()
    lab.alpha.power_cut()
    wait_until(lambda: slow.beta.has_event("group_started", before), 5, "beta takes over")
    kinds = [e["kind"] for e in slow.beta.events(before)]
    until = kinds[:kinds.index("group_started") + 1]
    expected = [e["kind"] for e in foretold]
    assert [k for k in until if not k.startswith("path_")] == [
        k for k in expected[:expected.index("group_started") + 1] if not k.startswith("path_")]
    text = simulate(slow.beta, "--fail", "red").stdout
    assert "path red to alpha" in text or "stays on beta" in text


def test_a_failback_that_is_due_later_is_foretold(world, lab):
    """Neither a pin nor a failback that is still to come is in the way."""
    groups = EXCLUSIVE.format(address=SERVICE).replace(
        "  nodes", "  exclusive = no\n  failback = auto\n  failback_ms = 5000\n  nodes")
    cluster = world.ready(snmp=False, groups=groups)
    try:
        assert cluster.alpha.cli("switch", "web", "beta").returncode == 0
        done = simulate(cluster.alpha, "--fail", "red")
        assert done.returncode == 0 and "group web stays on beta" in done.stdout, done.stderr
        world.stop()
        cluster = world.ready(snmp=False, groups=groups.replace("5000", "3600000"))
        before = cluster.beta.last_event()
        lab.alpha.power_cut()
        wait_until(lambda: cluster.beta.has_event("group_started", before), 5, "beta takes over")
        lab.alpha.power_on()
        cluster.alpha.start()
        cluster.settle(lab.beta)
        done = simulate(cluster.alpha, "--fail", "red", "--json")
        assert done.returncode == 0, done.stderr
        assert steps_of(done)[1][0]["owner"] == "beta"
    finally:
        world.stop()


def test_a_path_and_a_resource_that_would_fail(world, lab, slow):
    done = simulate(slow.alpha, "--fail", "red")
    assert done.returncode == 0 and "group web stays on alpha" in done.stdout, done.stdout
    done = simulate(slow.alpha, "--fail", "resource:vip")
    assert done.returncode == 0 and "group web runs on beta again after" in done.stdout, done.stdout
    done = simulate(slow.alpha, "--fail", "alpha", "beta")
    assert done.returncode == 1 and "group web runs nowhere" in done.stdout
    done = simulate(slow.alpha, "--fail", "ambe")
    assert done.returncode == 2 and "no node, path or resource" in done.stderr
    assert simulate(slow.alpha, "alpha").returncode == 2


def test_an_exclusive_group_that_would_wait_for_a_person(world, lab):
    cluster = world.ready(snmp=False, groups=EXCLUSIVE.format(address=SERVICE))
    done = simulate(cluster.beta, "--fail", "alpha")
    assert done.returncode == 1
    assert "yoke confirm-down alpha" in done.stdout and "group web runs nowhere" in done.stdout
    world.stop()
