"""A serial line between the nodes, as one path of three and as the only one: what goes over it,
what disturbs it, and who else wants it.  The cable is a pty pair; its rate is that of a UART."""

import os
import re
import signal
import subprocess

import pytest

from lab import BUILD, now, wait_until
from serial_line import Line

BAUD = 9600
DEAD_MS = 2000
GROUPS = ["web", "mail", "files", "print", "names"]


def address(index):
    return f"10.9.0.{100 + index}"


def group_text(index, name):
    """Each with an address of its own; the first one has the lab's."""
    return (f'group "{name}" {{\n  exclusive = no\n  nodes = {{ "alpha", "beta" }}\n'
            f'  resource "{name}-ip" {{\n    type = address\n'
            f'    address = "{address(index)}/24"\n    interface = "pub"\n  }}\n}}\n')


@pytest.fixture(scope="module")
def cable(world):
    ends = [node.dir / "tty" for node in world.lab.pair]
    line = Line(*ends, BAUD)
    yield line
    world.stop()
    line.close()


@pytest.fixture
def wire(cable):
    cable.heal()
    return cable


@pytest.fixture
def beside(world, wire):
    """A line beside two UDP paths."""
    return world.ready(snmp=False, dead_ms=DEAD_MS, baud=BAUD)


@pytest.fixture
def alone(world, wire):
    """Nothing but a line, and five groups."""
    groups = "".join(group_text(i, name) for i, name in enumerate(GROUPS))
    return world.ready(snmp=False, dead_ms=DEAD_MS, baud=BAUD, links=(), groups=groups)


def share(wire, since, before):
    """Of the line's rate that a direction carried; the larger one of both."""
    span = now() - since
    return max(wire.carried[i] - before[i] for i in (0, 1)) * 10 / BAUD / span


def state(cluster, node):
    return cluster[node].path("wire")["state"]


def wait_state(cluster, node, wanted, timeout=10):
    wait_until(lambda: state(cluster, node) == wanted, timeout, f"{node}: wire is {wanted}")


def wait_owner(cluster, name, owner, timeout=20):
    for node in ("alpha", "beta"):
        wait_until(lambda at=node: (cluster[at].group(name)["owner_name"],
                                    cluster[at].group(name)["state"]) == (owner, "started"),
                   timeout, f"{node} shows {name} started on {owner}")


def test_line_beside_udp(lab, beside, wire, owners):
    """It is a path as the others are; when they are cut it carries on, and nothing moves."""
    path = beside.alpha.path("wire")
    assert path["type"] == "serial" and path["state"] == "up" and path["reason"] == ""
    assert path["local"].endswith("at 9600 baud")
    since, before = now(), beside.alpha.last_event()
    lab.split()
    for node in lab.pair:
        wait_until(lambda at=node: beside[at].path("red")["state"] == "down", 10, "red is down")
        assert beside[node].peer_state(lab.other(node).name) in ("online", "late")
    beside.alpha.order("switch", group="web", node="beta")
    wait_owner(beside, "web", "beta")
    assert lab.owner() is lab.beta
    beside.alpha.order("switch", group="web", node="alpha")
    wait_owner(beside, "web", "alpha")
    assert not beside.alpha.has_event("node_lost", before)
    assert owners.both_ms(since) == 0


def test_line_takes_a_quarter_of_its_rate(beside, wire):
    since, before = now(), list(wire.carried)
    wait_until(lambda: now() - since >= 6, 7, "six seconds of heartbeats", every=0.1)
    assert 0.15 < share(wire, since, before) < 0.26
    assert beside.alpha.path("wire")["loss_permille"] == 0


def test_power_cut_with_a_line_alone(world, lab, alone, wire, probe):
    """Five groups: each is taken over within the bound that `yoke check` prints, and shown."""
    told = alone.alpha.cli("check", alone.alpha.config).stdout
    assert "path wire, 9600 baud: heartbeat every 400 ms, as a quarter of its rate carries" in told
    bound_ms = int(re.search(r"at most (\d+) ms after its last heartbeat", told).group(1))
    clients = {name: probe(address(i), f"probe-{name}") for i, name in enumerate(GROUPS)}
    since = now()
    at = lab.alpha.power_cut()
    for name, client in clients.items():
        client.wait_answer(timeout=20, node=lab.beta, since=since)
        outage = client.outage(at)
        assert outage <= bound_ms + 100, f"{name}: an address takes a few ms to start"
    for name in GROUPS:
        wait_until(lambda group=name: (alone.beta.group(group)["owner_name"],
                                       alone.beta.group(group)["state"]) == ("beta", "started"),
                   5, f"{name} runs on beta")
    assert world.owners.both_ms(since) == 0


def test_switchover_over_a_line_alone(lab, alone, wire, probe):
    """All five, one after the other, asked for at the node that has them; and back."""
    client = probe()
    since, before = now(), list(wire.carried)
    for node, other in (("alpha", "beta"), ("beta", "alpha")):
        for name in GROUPS:
            wait_until(lambda at=node: not alone[at].is_busy(), 20, "no operation runs")
            done = alone[node].cli("switch", name, other)
            assert done.returncode == 0, done.stdout + done.stderr
            wait_owner(alone, name, other, 20)
    assert client.outage(since) < 5000
    assert share(wire, since, before) < 0.30
    for node in lab.pair:
        assert alone[node].peer_state(lab.other(node).name) == "online"


def damaged(yoke):
    """Frames that did not come, or not as they were sent."""
    path = yoke.path("wire")
    return path["missed"] + sum(path[key] for key in path if key.startswith("refused"))


def test_line_alone_through_noise(lab, alone, wire, owners):
    """A byte in 2000 is lost, changed or inserted: nothing moves by itself, and a switch works."""
    since, before = now(), damaged(alone.beta)
    wire.drop = wire.flip = wire.insert = 1 / 6000
    alone.alpha.order("switch", group="mail", node="beta")
    wait_owner(alone, "mail", "beta", 60)
    wait_until(lambda: damaged(alone.beta) > before, 60, "noise was noticed")
    assert owners.takeovers(since) == 0 and lab.owner() is lab.alpha


def test_in_step_again_after_garbage(beside, wire):
    flaps = beside.alpha.path("wire")["flaps"]
    for _ in range(10):
        before = beside.alpha.path("wire")["received"]
        wire.shout(0, os.urandom(300))
        wait_until(lambda b=before: beside.alpha.path("wire")["received"] >= b + 2, 5,
                   "the frames behind the garbage came")
    assert beside.alpha.path("wire")["flaps"] == flaps


def test_line_cut_one_way(lab, beside, wire):
    """alpha's words do not arrive; a path is up only when both directions work."""
    before = beside.beta.last_event()
    wire.cut(0)
    wait_state(beside, "alpha", "oneWay")
    wait_state(beside, "beta", "down")
    assert beside.beta.has_event("path_down", before, path_name="wire")
    assert all(beside[node].peer_state(lab.other(node).name) == "online" for node in lab.pair)
    wire.heal()
    for node in ("alpha", "beta"):
        wait_state(beside, node, "up")


def test_adapter_pulled_and_plugged(beside, wire):
    wire.pull(0)
    wait_state(beside, "alpha", "down")
    wait_until(lambda: "No such file" in beside.alpha.path("wire")["reason"], 5, "it says why")
    shown = beside.alpha.cli("status").stdout
    assert re.search(r"wire +serial +beta +down .*No such file", shown), shown
    wire.plug(0)
    for node in ("alpha", "beta"):
        wait_state(beside, node, "up")
    assert beside.alpha.path("wire")["reason"] == ""


def test_login_on_the_line_is_refused(lab, beside, wire):
    """A getty that was forgotten has the line; when it is gone the line is taken."""
    agetty = lab.dir / "agetty"
    agetty.symlink_to("/bin/sleep")
    wire.pull(0)
    wait_state(beside, "alpha", "down")
    wire.plug(0, is_shown=False)
    with open(wire.ends[0].target, "rb", buffering=0) as tty, \
            subprocess.Popen([agetty, "1000"], stdin=tty) as getty:
        tty.close()
        wire.ends[0].show()
        try:
            wait_until(lambda: "agetty" in beside.alpha.path("wire")["reason"], 5, "it says who")
            assert beside.alpha.path("wire")["reason"] == (
                f"agetty (process {getty.pid}) uses it: disable the login on it")
        finally:
            getty.kill()
    wait_state(beside, "alpha", "up")


@pytest.mark.parametrize("role, number", [("engine", signal.SIGKILL), ("keeper", signal.SIGUSR2)],
                         ids=["restart", "upgrade"])
def test_another_engine_on_a_line_alone(lab, alone, owners, role, number):
    """It is given the line anew; the other node does not take over."""
    since = now()
    old = alone.alpha.engine()
    os.kill(alone.alpha.pids(role)[0], number)
    wait_until(lambda: alone.alpha.engine() not in (None, old), 10, "another engine")
    for node in ("alpha", "beta"):
        wait_until(lambda at=node: alone[at].peer_state(
            "beta" if at == "alpha" else "alpha") == "online", 20, f"{node} sees the other")
    assert owners.takeovers(since) == 0 and lab.owner() is lab.alpha


@pytest.fixture
def both_test(world, lab, wire):
    """Starts `yoke serial-test` on both nodes, while yoke does not use the line."""
    started = []

    def start():
        world.stop()
        for node in lab.pair:
            started.append(subprocess.Popen(
                [BUILD / "yoke", "serial-test", "--timeout", "15", node.dir / "tty"], text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
        return started
    yield start
    for test in started:
        with test:
            test.kill()


def verdict(test, code):
    text = test.communicate(timeout=60)[0]
    assert test.returncode == code, text
    return text


def test_both_ends_of_a_test_of_the_cable(both_test):
    for test in both_test():
        text = verdict(test, 0)
        assert "the cable works in both directions" in text
        assert "0 damaged, 0 bytes lost" in text
        trip = float(re.search(r"round trip: ([\d.]+) ms", text).group(1))
        assert 150 < trip < 400, "two frames of 91 bytes at 9600 baud"


@pytest.mark.parametrize("fault, counted", [("drop", r"([1-9]\d*) bytes lost"),
                                            ("flip", r"([1-9]\d*) damaged, 0 bytes lost")],
                         ids=["lost", "changed"])
def test_cable_that_spoils_bytes(both_test, wire, fault, counted):
    """Both ends count it in both directions."""
    setattr(wire, fault, 1 / 300)
    for test in both_test():
        text = verdict(test, 1)
        for direction in "to here: ", "to there:":
            assert re.search(f"{direction} .* frames came whole, .*{counted}", text), text
        assert "carries both directions, but not without errors" in text


def test_cable_with_one_wire(both_test, wire):
    """alpha's words do not arrive: only who is told so can know."""
    wire.cut(0)
    alpha, beta = both_test()
    text = verdict(alpha, 1)
    whole = r"to here: +(\d+) of \1 frames came whole, 0 damaged, 0 bytes lost"
    assert re.search(whole, text), text
    assert "to there:  nothing; the wire from TxD here to RxD there does not work" in text
    assert "nothing came.  Is 'yoke serial-test' running on the other" in verdict(beta, 4)


@pytest.mark.parametrize("is_heard", [True, False], ids=["late", "early"])
def test_cable_that_is_pulled_meanwhile(both_test, wire, is_heard):
    """Its own end sees the adapter go; the other one silence, and takes it for nothing else, even
    if it was not told before that it is heard."""
    wire.cut(1, not is_heard)
    alpha, beta = both_test()
    for test in (alpha, beta) if is_heard else (beta,):
        assert any("the other node is heard" in line for line in test.stdout)
    wire.pull(0)
    assert "the line hung up: was the adapter pulled?" in verdict(alpha, 1)
    text = verdict(beta, 1)
    assert "nothing came in the end: the cable was pulled, or the test on the other" in text
    assert "work" not in text


def test_line_that_yoke_has_is_not_tested(beside):
    done = beside.alpha.cli("serial-test", beside.alpha.dir / "tty")
    assert done.returncode == 1
    assert re.search(r"yoked \(process \d+\) uses it", done.stderr), done.stderr


def test_exclusive_groups_over_a_line_alone(world, lab, wire, owners):
    """Grants and leases go over it as well: nothing stops by itself, and a switch is allowed."""
    groups = "".join(group_text(i, name) for i, name in enumerate(GROUPS))
    cluster = world.ready(snmp=False, dead_ms=DEAD_MS, baud=BAUD, links=(),
                          groups=groups.replace("exclusive = no", "exclusive = yes"))
    since = now()
    for owner in ("beta", "alpha"):
        wait_until(lambda: not cluster.alpha.is_busy(), 20, "no operation runs")
        done = cluster.alpha.cli("switch", "web", owner)
        assert done.returncode == 0, done.stdout + done.stderr
        wait_owner(cluster, "web", owner)
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 2
    assert all(cluster[node].peer_state(lab.other(node).name) == "online" for node in lab.pair)
