"""The package is upgraded on a running pair, one node after the other: nothing moves, and a client
that asks some 200 times a second misses no answer."""

import os
import shutil
import signal

import pytest
from arbiters import GROUP, Watchdog, Witness, more
from lab import BUILD, SERVICE, TOP, now, run, wait_until
from web import LINE_SIZE, Web

NEXT = "9.9.9"
MORE = "10.9.0.151"
FIFO_SIZE = 1 << 20  # AGENT_JOB_LEFT_MAX
DEAD_MS = {"default": None, "short": 100}
EXCHANGE_MS = 80  # without a heartbeat; 46..59 were measured


def version_of(yoke):
    return next(n for n in yoke.status()["nodes"] if n["name"] == yoke.node.name)["version"]


class Package:
    """The programs that all nodes start; exchanged as `install` does, by a file of a new inode."""

    def __init__(self, lab):
        self.bin = lab.dir / "bin"
        self.next = BUILD / "next"
        run("make", "-s", "-j2", "-C", TOP, f"VERSION={NEXT}",
            f"B={os.path.relpath(self.next, TOP)}", "all",
            env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})

    def install(self, build):
        for name in ("yoked", "yoke", "yoke-snmp"):
            shutil.copy(build / name, self.bin / f"{name}.new")
            (self.bin / f"{name}.new").rename(self.bin / name)

    def upgrade(self):
        self.install(self.next)


@pytest.fixture
def package(world, lab):
    made = Package(lab)
    yield made
    world.stop()
    made.install(BUILD)


def renew(yoke):
    """What `systemctl reload yoked` does; returns when the new engine answers."""
    keeper = yoke.process.pid
    yoke.process.send_signal(signal.SIGUSR2)
    wait_until(lambda: version_of(yoke) == NEXT, 10, f"{yoke.node.name} is of version {NEXT}")
    assert yoke.is_running() and keeper in yoke.pids("keeper")
    # A job that is not executed yet looks like its keeper.
    wait_until(lambda: yoke.pids("keeper") == [keeper], 5, "nothing else is left of the exchange")


@pytest.mark.parametrize("dead_ms", DEAD_MS)
def test_upgrade_loses_no_request(world, lab, package, owners, client, dead_ms):
    web = Web(lab)
    cluster = world.ready(snmp=False, dead_ms=DEAD_MS[dead_ms], groups=web.group(SERVICE))
    wait_until(lambda: web.pid(lab.alpha), 5, "the server runs on alpha")
    asked = client()
    since, server, term = now(), web.pid(lab.alpha), cluster.alpha.group()["term"]
    before = {name: yoke.last_event() for name, yoke in cluster.by_name.items()}
    package.upgrade()
    for node in lab.pair:
        renew(cluster[node])
        cluster.settle(lab.alpha)
    renewed = now()
    wait_until(lambda: len(asked.requests(renewed)) * LINE_SIZE > FIFO_SIZE, 15,
               "more is written than the pipe holds")
    print(f"{len(asked.requests(since))} requests, the slowest took "
          f"{max(row[1] for row in asked.requests(since)) * 1000:.1f} ms")
    assert asked.lost(since) == []
    assert {who for _, _, who in asked.requests(since)} == {"alpha"}
    assert web.pid(lab.alpha) == server
    assert owners.takeovers(since) == 0 and owners.both_ms(since) == 0
    assert cluster.alpha.has_event("group_adopted", before["alpha"], value=term)
    for name, yoke in cluster.by_name.items():
        for kind in ("group_stopping", "group_held", "node_left", "resource_failed"):
            assert not yoke.has_event(kind, before[name]), f"{kind} on {name}"
        for event in yoke.events(before[name]):
            if event["kind"] == "node_lost":
                assert world.stalls.excuse(event, yoke.status()["dead_ms"],
                                           EXCHANGE_MS), f"lost by {name}"


def test_upgrade_with_another_configuration(world, lab, package, owners):
    """What the version before left of a reload is not lost with its file."""
    cluster = world.ready(snmp=False)
    since, before = now(), cluster.alpha.last_event()
    groups = cluster.alpha.group_text().removesuffix("}\n") + (
        f'  resource "more" {{\n    type = address\n    address = "{MORE}/24"\n'
        '    interface = "pub"\n  }\n}\n')
    package.upgrade()
    for yoke in (cluster.beta, cluster.alpha):
        yoke.write_config(groups=groups)
        done = yoke.cli("reload")
        assert done.returncode == 0, done.stdout + done.stderr
        assert version_of(yoke) == NEXT
    wait_until(lambda: lab.alpha.has(MORE), 5, "what was added is started")
    cluster.settle(lab.alpha)
    assert cluster.alpha.has_event("config_taken", before)
    assert not cluster.alpha.has_event("group_stopping", before)
    assert owners.takeovers(since) == 0 and owners.both_ms(since) == 0


@pytest.mark.parametrize("how", ["renewed", "killed and started"])
def test_upgrade_with_a_lock_keeps_lease_and_watchdog(world, lab, package, owners, how):
    """The lease of the version before counts: what runs by it is not stopped, nobody is reset."""
    world.stop()
    dogs = [Watchdog(node) for node in lab.pair]
    try:
        cluster = world.ready(snmp=False, groups=GROUP + Witness.text(lab), more=more())
        witness = Witness(cluster)
        for yoke in cluster.by_name.values():
            wait_until(lambda at=yoke: at.status()["arbiters"][0]["state"] == "ready", 10,
                       "the witness answers")
        since = now()
        package.upgrade()
        for node in lab.pair:
            if how == "renewed":
                renew(cluster[node])
            else:
                cluster[node].kill_all()
                cluster[node].start()
            cluster.settle(lab.alpha)
        assert owners.takeovers(since) == 0 and owners.both_ms(since) == 0
        assert [dog.fired for dog in dogs] == [0, 0]
        assert all(dog.armed for dog in dogs)
    finally:
        world.stop()
        witness.stop()
        for dog in dogs:
            dog.close()


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_again_and_again(lab, slow, package, owners):
    """Each time the same process, with no more open than before."""
    since, keeper = now(), slow.alpha.pids("keeper")[0]
    open_at_first = descriptors(keeper), descriptors(slow.alpha.engine())
    for _ in range(4):
        old = slow.alpha.engine()
        slow.alpha.process.send_signal(signal.SIGUSR2)
        wait_until(lambda was=old: slow.alpha.engine() not in (None, was), 10, "another engine")
        slow.settle(lab.alpha)
        # Who asked it last may be in there still.
        wait_until(lambda: descriptors(keeper) <= open_at_first[0] and
                   descriptors(slow.alpha.engine()) <= open_at_first[1], 5,
                   f"no more are open than at first, {open_at_first}")
    assert slow.alpha.pids("keeper") == [keeper] and owners.takeovers(since) == 0


def test_program_that_cannot_go_on_changes_nothing(lab, slow, package, owners):
    since, engine, before = now(), slow.alpha.engine(), len(slow.alpha.process.text())
    for content in ("#!/bin/sh\nexit 1\n", "no program\n"):
        (package.bin / "yoked.new").write_text(content)
        (package.bin / "yoked.new").chmod(0o755)
        (package.bin / "yoked.new").rename(package.bin / "yoked")
        slow.alpha.process.send_signal(signal.SIGUSR2)
        wait_until(lambda at=before: "is not exchanged" in slow.alpha.process.text()[at:], 10,
                   "the log says so")
        before = len(slow.alpha.process.text())
    assert slow.alpha.engine() == engine
    slow.settle(lab.alpha)
    assert owners.takeovers(since) == 0


def test_start_that_runs_is_waited_for(world, lab, package):
    """What came of it would be heard by nobody."""
    from test_script import Service
    service = Service(lab)
    service.forget_wishes()
    cluster = world.ready(snmp=False, groups=service.group())
    service.wish(lab.beta, "hang-start")
    try:
        cluster.alpha.order("switch", group="web", node="beta")
        wait_until(service.file(lab.beta, "hung").exists, 5, "the start hangs on beta")
        old, before = cluster.beta.engine(), cluster.beta.last_event()
        cluster.beta.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: cluster.beta.engine() not in (None, old), 10, "another engine")
        assert cluster.beta.has_event("resource_failed", before), "the start's time-out came first"
        wait_until(lambda: service.pid(lab.alpha), 10, "it runs on alpha again")
    finally:
        service.forget_wishes()
