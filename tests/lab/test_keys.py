"""The key is exchanged on a running pair: no heartbeat is lost, and nobody can read it."""

import ctypes
import os
import pathlib
import re
import shutil
import signal

import pytest

from lab import now, wait_until
from serial_line import Line


@pytest.fixture
def pair(world, lab):
    """Default timing, with one key."""
    cluster = world.ready(snmp=False)
    yield cluster
    # One key again, and the same on both nodes.
    cluster.stop()
    for node in lab.pair:
        cluster[node].write_key("00112233445566778899aabbccddeeff" * 2)
    world.stop()


@pytest.fixture
def wired(world, lab):
    """Nothing but a serial line: what tells of keys takes a heartbeat's place there."""
    world.stop()
    line = Line(*[node.dir / "tty" for node in lab.pair], 9600)
    try:
        yield world.ready(snmp=False, dead_ms=2000, baud=9600, links=())
    finally:
        world.stop()
        line.close()


def key(yoke, *arguments):
    return yoke.node.try_run("env", f"YOKE_CONF={yoke.config}", yoke.bin / "yoke", "key",
                             "--socket", yoke.socket, *arguments)


def succeed(yoke, *arguments):
    done = key(yoke, *arguments)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def fail(yoke, *arguments):
    done = key(yoke, *arguments)
    assert done.returncode != 0, done.stdout
    return done.stderr


def copy(source, target):
    shutil.copyfile(source.key_file, target.key_file)
    target.key_file.chmod(0o600)


def sealing(yoke):
    return [k["id"] for k in yoke.status()["keys"] if k["seals"]]


def counters(pair, lab):
    """What a lost or a late heartbeat would change."""
    seen = []
    for node in lab.pair:
        for path in pair[node].status()["paths"]:
            seen.append({name: value for name, value in path.items()
                         if name in ("missed", "delayed", "flaps", "state",
                                     "changed_wall_ms") or name.startswith("refused_")})
    return seen


def received(pair, lab):
    return [path["received"] for node in lab.pair for path in pair[node].status()["paths"]]


def hear(pair, lab):
    """Ten more frames on every path."""
    before = received(pair, lab)
    wait_until(lambda: all(b >= a + 10 for a, b in zip(before, received(pair, lab))), 20,
               "ten more heartbeats on every path")


@pytest.mark.parametrize("over", ["pair", pytest.param("wired", marks=pytest.mark.slow)])
def test_keys_are_exchanged_without_a_lost_heartbeat(request, lab, over):
    pair = request.getfixturevalue(over)
    alpha, beta = pair.alpha, pair.beta
    hear(pair, lab)
    engines = [pair[node].engine() for node in lab.pair]
    before, seen = counters(pair, lab), [pair[node].last_event() for node in lab.pair]

    out = succeed(alpha, "rotate")
    assert "key 2 is in" in out and "takes what is sealed with either" in out
    assert alpha.key_file.stat().st_mode & 0o7777 == 0o600
    hear(pair, lab)
    assert sealing(alpha) == [1] and sealing(beta) == [1]
    assert "has not shown that it has key 2" in fail(alpha, "retire")

    copy(alpha, beta)
    assert "2 keys" in succeed(beta, "reload")
    wait_until(lambda: sealing(alpha) == sealing(beta) == [2], 10, "both seal with the new key")
    hear(pair, lab)
    for yoke in (alpha, beta):
        old, new = key(yoke, "list").stdout.splitlines()
        assert re.match(r"key 1.*: not sent with, the other node has it$", old), old
        assert re.match(r"key 2.*: seals what is sent here, the other node has it, "
                        "the other node seals with it$", new), new

    for yoke in (beta, alpha):
        wait_until(lambda yoke=yoke: key(yoke, "retire").returncode == 0, 10, "key 1 is retired")
        hear(pair, lab)
        assert [k["id"] for k in yoke.status()["keys"]] == [2]
    assert alpha.key_file.read_text() == beta.key_file.read_text()
    assert counters(pair, lab) == before, "a heartbeat was lost, late or refused"
    assert [pair[node].engine() for node in lab.pair] == engines
    for node, last in zip(lab.pair, seen):
        kinds = {event["kind"] for event in pair[node].events(last)}
        assert kinds == {"keys_taken"}, kinds

    # And what is started with the new key alone meets the other.
    beta.leave()
    beta.start()
    pair.settle(lab.alpha)


def test_keys_without_which_the_other_node_is_not_heard_are_refused(lab, pair):
    alpha = pair.alpha
    hear(pair, lab)
    before, good = counters(pair, lab), alpha.key_file.read_text()
    succeed(alpha, "generate", "--force", str(alpha.key_file))
    assert "node beta seals with key 1, which the file does not have" in fail(alpha, "reload")
    alpha.key_file.write_text("nonsense")
    assert "64 hexadecimal" in fail(alpha, "reload")
    alpha.key_file.chmod(0o640)
    assert "chmod 600" in fail(alpha, "reload")
    alpha.key_file.chmod(0o600)
    alpha.key_file.unlink()
    assert "No such file" in fail(alpha, "reload")
    alpha.write_key(good.strip())
    succeed(alpha, "reload")
    hear(pair, lab)
    assert counters(pair, lab) == before


def test_an_engine_that_is_started_again_has_the_keys_of_the_one_before(lab, pair):
    alpha, beta = pair.alpha, pair.beta
    succeed(alpha, "rotate")
    copy(alpha, beta)
    succeed(beta, "reload")
    wait_until(lambda: sealing(alpha) == sealing(beta) == [2], 10, "both seal with the new key")
    alpha.key_file.write_text("nonsense")
    engine = alpha.engine()
    alpha.node.run("kill", "-9", str(engine))
    wait_until(lambda: alpha.engine() not in (None, engine), 10, "another engine")
    pair.settle(lab.alpha)
    wait_until(lambda: sealing(alpha) == sealing(beta) == [2], 10, "both seal with the new key")
    assert [k["id"] for k in alpha.status()["keys"]] == [1, 2]


def test_keys_are_nowhere_but_in_their_file_and_in_memory_that_is_not_dumped(lab, pair):
    alpha, beta = pair.alpha, pair.beta
    succeed(alpha, "rotate")
    digits = re.findall("[0-9a-f]{64}", alpha.key_file.read_text())
    assert len(digits) == 2
    told = (key(alpha, "list").stdout + str(alpha.status()) + alpha.cli("status", "--wide").stdout
            + str(alpha.events()))
    files = [f for folder in (alpha.dir, alpha.run_dir, alpha.state_dir)
             for f in pathlib.Path(folder).rglob("*") if f.is_file() and f != alpha.key_file]
    assert files
    for each in digits:
        assert each not in told
        for file in files:
            data = file.read_bytes()
            assert each.encode() not in data and bytes.fromhex(each) not in data, file
    # A process that may not be dumped belongs to root in /proc, whoever runs it.
    assert pathlib.Path(f"/proc/{alpha.engine()}/environ").stat().st_uid == 0
    copy(alpha, beta)
    succeed(beta, "reload")


SEIZE, CONTINUE, TRACE_EXIT, EVENT_EXIT, WAIT_ALL = 0x4206, 7, 0x40, 6, 0x40000000


def trace(request, pid, data=0):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(ctypes.c_long(request), ctypes.c_long(pid), None, ctypes.c_void_p(data)) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def is_in_memory(pid, data):
    """Where a process may write: its variables, heap and stack."""
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end in re.findall("^([0-9a-f]+)-([0-9a-f]+) rw", maps, re.M):
            memory.seek(int(start, 16))
            if data in memory.read(int(end, 16) - int(start, 16)):
                return True
    return False


def test_engine_that_leaves_has_wiped_its_keys(pair):
    """The kernel stops it in its exit, when nothing of it runs any more and its memory is there."""
    alpha = pair.alpha
    succeed(alpha, "rotate")
    keys = [bytes.fromhex(digits)
            for digits in re.findall("[0-9a-f]{64}", alpha.key_file.read_text())]
    engine = alpha.engine()
    assert len(keys) == 2 and all(is_in_memory(engine, each) for each in keys)
    trace(SEIZE, engine, TRACE_EXIT)
    alpha.process.send_signal(signal.SIGTERM)
    left = None
    while os.WIFSTOPPED(status := os.waitpid(engine, WAIT_ALL)[1]):
        is_exit = status >> 16 == EVENT_EXIT
        if is_exit:
            left = [is_in_memory(engine, each) for each in keys]
        trace(CONTINUE, engine, 0 if is_exit else os.WSTOPSIG(status))
    assert status == 0 and left == [False, False]
    wait_until(lambda: not alpha.is_running(), 10, "the keeper has left, too")


def are_ready(one):
    return all(a["state"] == "ready" for yoke in one.cluster.by_name.values()
               for a in yoke.status()["arbiters"])


@pytest.mark.parametrize("kind", ["witness", "disk"])
def test_lock_is_held_by_the_new_key(outside, owners, kind):
    """The lock works all through the exchange, and decides by the new key alone afterwards."""
    one = outside(kind)
    alpha, beta = one.cluster.alpha, one.cluster.beta
    bound_s, seen = one.bound_s("is replaced"), alpha.last_event()
    succeed(alpha, "rotate")
    copy(alpha, beta)
    succeed(beta, "reload")
    wait_until(lambda: sealing(alpha) == sealing(beta) == [2], 10, "both seal with the new key")
    if kind == "witness":
        # It has the old one only: asked by that one, and known to be.
        for yoke in (alpha, beta):
            tested = yoke.status()["arbiters"][0]["tested_wall_ms"]
            wait_until(lambda at=yoke, t=tested:
                       at.status()["arbiters"][0]["tested_wall_ms"] > t + 1000, 15, "two tests")
        assert "still goes by key 1" in fail(alpha, "retire")
        assert are_ready(one) and not alpha.has_event("arbiter_failed", seen)
        one.witness.stop()
        (one.witness.node.dir / "witness.key").write_text(alpha.key_file.read_text())
        one.witness.start()
    for yoke in (alpha, beta):
        wait_until(lambda at=yoke: key(at, "retire").returncode == 0, 15, "key 1 is retired")
        assert [k["id"] for k in yoke.status()["keys"]] == [2]
    if kind == "witness":
        one.witness.stop()
        (one.witness.node.dir / "witness.key").write_text(alpha.key_file.read_text())
        one.witness.start()
    else:
        assert not alpha.has_event("arbiter_failed", seen)
    for yoke in (alpha, beta):
        tested = yoke.status()["arbiters"][0]["tested_wall_ms"]
        wait_until(lambda at=yoke, t=tested:
                   at.status()["arbiters"][0]["tested_wall_ms"] > t + 1000, 15, "two tests")
    wait_until(lambda: are_ready(one), 10, "the arbiter works by the new key")
    since = now()
    one.lab.alpha.power_cut()
    wait_until(one.lab.beta.has, bound_s + 5, "beta owns the address")
    assert owners.both_ms(since) == 0
