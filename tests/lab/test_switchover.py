"""A person moves the group: quickly, never on both nodes, with a clear answer when it cannot be."""

import json
import statistics

from lab import now, wait_until

SPAN_S = 0.4


def test_switch_outage(lab, slow, probe, owners):
    """Six switches to and fro, each beside a span of the same length without one: what the machine
    adds is in both."""
    client = probe()
    outages, quiet = [], []
    started = now()
    for turn in range(6):
        target = lab.beta if turn % 2 == 0 else lab.alpha
        began = now()
        wait_until(lambda at=began: now() > at + SPAN_S, 2, "a span without a switch")
        quiet.append(client.outage(began))
        since = now()
        done = slow.alpha.cli("switch", "web", target.name)
        assert done.returncode == 0, done.stderr
        client.wait_answer(node=target, since=since)
        wait_until(lambda at=since: now() > at + SPAN_S, 2, "a span with one")
        outages.append(client.outage(since))
        slow.settle(target)
    assert statistics.median(outages) - statistics.median(quiet) <= 10, (outages, quiet)
    assert owners.both_ms(started) == 0
    assert client.moves(started) == 6


def test_failback(lab, slow):
    slow.switch(lab.beta)
    assert slow.beta.cli("failback").returncode == 0
    slow.settle(lab.alpha)
    assert any(slow[node].has_event("operation_succeeded", verb="failback") for node in lab.pair)


def test_standby_and_online(world, lab, slow):
    done = slow.alpha.cli("standby", "alpha")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: lab.owner() is lab.beta, 5, "beta has the address")
    done = slow.alpha.cli("switch", "web", "alpha")
    assert done.returncode != 0 and "not-ready" in done.stdout + done.stderr
    # Intent survives a restart of everything.
    slow.alpha.leave()
    slow.alpha.start()
    wait_until(lambda: slow.beta.peer_state("alpha") == "online", 10, "alpha is back")
    node = wait_until(lambda: next(n for n in slow.beta.status()["nodes"] if n["name"] == "alpha"),
                      5, "alpha's row")
    assert node["standby"]
    assert slow.alpha.cli("online", "alpha").returncode == 0
    slow.settle(lab.beta)


def test_refusals_change_nothing(lab, slow):
    before = slow.alpha.last_event()
    term = slow.alpha.group()["term"]
    for command, word in ((["switch", "nosuch", "beta"], "no-such-group"),
                          (["switch", "web", "gamma"], "no-such-node")):
        done = slow.alpha.cli(*command)
        assert done.returncode != 0
        assert word in done.stdout + done.stderr, done
    assert slow.alpha.cli("standby", "beta").returncode == 0
    done = slow.alpha.cli("standby", "alpha")
    assert done.returncode != 0 and "nowhere-to-go" in done.stdout + done.stderr
    assert slow.alpha.cli("online", "beta").returncode == 0
    slow.settle(lab.alpha)
    assert slow.alpha.group()["term"] == term
    assert slow.alpha.has_event("request_refused", before)


def test_switch_to_a_dead_node_is_refused(world, lab, slow):
    lab.beta.power_cut()
    wait_until(lambda: slow.alpha.peer_state("beta") == "lost", 5, "beta is lost")
    done = slow.alpha.cli("switch", "web", "beta")
    assert done.returncode != 0 and "not-ready" in done.stdout + done.stderr
    assert lab.owner() is lab.alpha


def test_both_nodes_tell_the_same(lab, slow):
    views = []
    for node in lab.pair:
        status = json.loads(slow[node].cli("status", "--json").stdout)
        status = status.get("snapshot", status)
        group = next(g for g in status["groups"] if g["name"] == "web")
        views.append((group["owner_name"], group["state"], group["term"], group["condition"]))
    assert views[0] == views[1]
    text = slow.alpha.cli("status").stdout
    assert "web" in text and "alpha" in text and "beta" in text
