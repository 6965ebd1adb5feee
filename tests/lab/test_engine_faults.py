"""yoke itself fails while its node lives: restarted and adopted, never two owners for long."""

import os
import signal
import socket
import statistics
import time

from lab import SERVICE, now, wait_until

TURN_LONG_MS = 50  # AGENT_TURN_LONG_MS


def fault(lab, yoke, number, client, owners, settle_s=2.5):
    """Signal the engine of the owner; returns the gap and how long both had the address, ms."""
    old = yoke.engine()
    since = now()
    os.kill(old, number)
    wait_until(lambda: yoke.engine() not in (None, old), 5, "another engine runs")
    wait_until(yoke.status, 5, "it answers")
    while now() < since + settle_s:
        time.sleep(0.05)
    return client.outage(since), owners.both_ms(since), since


def assert_nothing_moved(lab, cluster, owners, since, moves):
    assert owners.takeovers(since) == 0, "the address was lost or moved"
    assert lab.owner() is lab.alpha
    cluster.settle(lab.alpha)
    assert cluster.beta.group()["moves"] == moves


def engine_faults(lab, cluster, number, client, owners, noise):
    """Three times, because one gap may be the machine's: nothing moves, and the probe sees no more
    than beside it, where there is no fault."""
    moves = cluster.beta.group()["moves"]
    added = []
    for _ in range(3):
        gap, both, since = fault(lab, cluster.alpha, number, client, owners)
        assert both == 0
        added.append(gap - noise.longest(since))
        assert_nothing_moved(lab, cluster, owners, since, moves)
    assert statistics.median(added) <= 30, added


def test_engine_killed(lab, slow, probe, owners, noise):
    before = slow.alpha.last_event()
    engine_faults(lab, slow, signal.SIGKILL, probe(), owners, noise)
    assert slow.alpha.has_event("group_adopted", before)


def test_engine_hangs(lab, slow, probe, owners, noise):
    engine_faults(lab, slow, signal.SIGSTOP, probe(), owners, noise)


def test_engine_killed_with_dead_30_ms(lab, fast, probe, owners):
    """The peer may be quicker than the restart: two owners for 100 ms at most, and one after."""
    client = probe()
    _, both, _ = fault(lab, fast.alpha, signal.SIGKILL, client, owners)
    assert both <= 100
    owner = wait_until(lab.owner, 5, "one owner")
    client.wait_answer(node=owner)
    fast.settle(owner)


def test_engine_hangs_with_dead_30_ms(lab, fast, probe, owners):
    """The keeper ends a hung engine after 500 ms; the peer took over long before."""
    client = probe()
    fault(lab, fast.alpha, signal.SIGSTOP, client, owners)
    owner = wait_until(lab.owner, 5, "one owner")
    client.wait_answer(node=owner)
    fast.settle(owner)


def kill_and_hold(lab, cluster, client, owners, kill):
    """kill() ends yoke on alpha, whose kernel goes on answering for the address.  beta hears that
    when it asks before it takes the address: it does not, and says so.  Nothing is lost."""
    since = now()
    before = cluster.beta.last_event()
    kill()
    wait_until(lambda: not cluster.alpha.pids(), 5, "all of yoke on alpha has ended")
    wait_until(lambda: cluster.beta.has_event("group_held", before), 10, "beta holds the group")
    assert lab.owner() is lab.alpha, "what stays behind: the address on alpha"
    client.wait_answer(node=lab.alpha)
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 0


def test_keeper_killed(lab, slow, probe, owners):
    """Everything below the keeper ends with it; started again, it adopts what runs."""
    client = probe()
    since = now()
    kill_and_hold(lab, slow, client, owners,
                  lambda: os.kill(slow.alpha.process.pid, signal.SIGKILL))
    slow.alpha.start()
    slow.settle(lab.alpha)
    assert owners.takeovers(since) == 0
    assert client.moves(since) == 0


def insists(daemon):
    """The operator asks again until he has it, which is some time after he was told."""
    state = daemon.group()["state"]
    if state == "held":
        daemon.ask({"do": "switch", "by": "lab", "group": "web", "node": daemon.node.name})
    return state == "started"


def test_all_of_yoke_killed_and_an_operator_insists(lab, slow, probe, owners):
    """A person who knows better moves the group: the survivor announces it, so clients reach the
    survivor although the address is on both; a restarted yoke on the other node notices."""
    client = probe()
    before = slow.beta.last_event()
    kill_and_hold(lab, slow, client, owners, slow.alpha.kill_all)
    slow.beta.order("switch", group="web", node="beta")
    wait_until(lambda: slow.beta.has_event("operation_failed", before), 5, "he is told first")
    assert "insists" in slow.beta.has_event("operation_failed", before)["reason"]
    wait_until(lambda: insists(slow.beta), 15, "beta owns web")
    moved = now()
    assert lab.alpha.has(SERVICE)
    time.sleep(1)
    assert {a[2] for a in client.answers_since(moved + 0.5)} == {"beta"}
    slow.alpha.start()
    wait_until(lambda: lab.owner() is lab.beta, 5, "alpha gave it up")
    slow.settle(lab.beta)
    client.wait_answer(node=lab.beta)


def test_all_killed_and_restarted_at_once(lab, slow, owners):
    """As the systemd unit does: well within the dead time nothing moves at all."""
    since = now()
    slow.alpha.kill_all()
    slow.alpha.start()
    wait_until(slow.alpha.status, 5, "the engine answers again")
    wait_until(lab.owner, 10, "one owner")
    slow.settle()
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 0


def test_node_pauses(lab, slow, probe, owners):
    """A virtual machine that stood still for longer than the dead time does not act as owner."""
    client = probe()
    since = now()
    lab.alpha.pause()
    client.wait_answer(timeout=5, node=lab.beta, since=since)
    wait_until(lambda: slow.beta.group()["state"] == "started", 5, "beta owns web")
    resumed = now()
    lab.alpha.resume()
    wait_until(lambda: lab.owner() is lab.beta, 2, "alpha gave up")
    assert now() - resumed < 1.5
    client.wait_answer(node=lab.beta)
    slow.settle(lab.beta)


def test_yoke_stands_still_while_the_kernel_answers(lab, slow, owners):
    """All of yoke on the owner stops for a while, with nothing new to tell when it goes on."""
    before = slow.beta.last_event()
    since = now()
    lab.alpha.group.freeze(True)
    wait_until(lambda: slow.beta.has_event("group_held", before), 10, "beta holds the group")
    lab.alpha.group.freeze(False)
    slow.settle(lab.alpha, timeout=5)
    assert owners.takeovers(since) == 0


def test_unreadable_state_starts_as_standby(world, lab, slow):
    slow.stop()
    files = [file for file in slow.alpha.state_dir.rglob("*") if file.is_file()]
    assert files, "nothing was saved"
    for file in files:
        file.write_bytes(b"\xff" * max(8, file.stat().st_size // 2))
    slow.alpha.start()
    event = wait_until(lambda: slow.alpha.has_event("state_unreadable"), 10, "the alarm")
    assert "yoke online" in event["text"]
    time.sleep(4)
    assert not lab.alpha.has(SERVICE), "a node without its state became owner"
    slow.beta.start()
    wait_until(lambda: lab.owner() is lab.beta, 10, "beta takes it")
    assert slow.alpha.cli("online", "alpha").returncode == 0
    slow.settle(lab.beta)


def test_log_that_nobody_reads(world, lab, slow):
    """A syslog socket with a full queue costs lines, never time."""
    path = lab.alpha.dir / "devlog"
    silent = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    path.unlink(missing_ok=True)
    silent.bind(str(path))
    path.chmod(0o666)
    slow.alpha.leave()
    slow.alpha.write_config(log="syslog")
    try:
        slow.alpha.start(*private_dev_log(lab.alpha.dir, path))
        slow.settle()
        before = {node.name: slow[node].last_event() for node in lab.pair}
        for turn in range(12):
            slow.switch(lab.beta if turn % 2 == 0 else lab.alpha)
        for node in lab.pair:
            assert not slow[node].has_event("node_lost", before[node.name])
            for event in slow[node].events(before[node.name]):
                assert event["kind"] != "turn_long" or world.stalls.excuse(
                    event, event["value"], TURN_LONG_MS)
    finally:
        silent.close()
        slow.alpha.leave()
        slow.alpha.write_config(log="stderr")
        slow.alpha.start()
        slow.settle()


def private_dev_log(folder, log):
    """A command prefix: run with a /dev of its own, in which /dev/log is `log`."""
    dev = folder / "dev"
    dev.mkdir(exist_ok=True)
    script = (f'mount -t tmpfs dev {dev} && cd {dev} && touch log null zero urandom random && '
              'for d in null zero urandom random; do mount --bind /dev/$d $d; done && '
              f'mount --bind {log} log && mount --rbind {dev} /dev && exec "$@"')
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]
