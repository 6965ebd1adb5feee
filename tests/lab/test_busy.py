"""A machine with far too much to do, and links that lose a third: no failover.  The longest gap
between two heartbeats that a node sent is told, as the switch's port has it; it says something of
the machine, and is not judged.

YOKE_BUSY_S: how long, in seconds (60)."""

import os

import pytest

from lab import now, wait_until
from measure import Frames, longest_gap

BUSY_S = float(os.environ.get("YOKE_BUSY_S", "60"))
LINKS = ("red", "blue")
LOSS_PERCENT = 30
SPIN = "while :; do :; done"
# Large ones that fill the queue, and small ones each of which waits for the disk.
WRITE = ("while :; do dd if=/dev/zero of={0}.large bs=1M count=64 conv=fsync; done 2>/dev/null & "
         "while :; do dd if=/dev/zero of={0}.small bs=4k count=64 oflag=dsync; done 2>/dev/null")


class Load:
    """Twice as many spinning processes as there are processors, and a disk that never rests: the
    one on which both nodes keep their state."""

    def __init__(self, lab):
        self.file = lab.dir / "filler"
        commands = [SPIN] * (2 * os.cpu_count()) + [WRITE.format(self.file)]
        self.processes = [lab.client.start(f"load-{i}", ["sh", "-c", command])
                          for i, command in enumerate(commands)]
        self.lab = lab

    def is_running(self):
        return all(process.is_running() for process in self.processes)

    def written(self):
        """Have both writers written?"""
        return all(self.file.with_suffix(end).exists() for end in (".large", ".small"))

    def close(self):
        for process in self.processes:
            os.killpg(process.pid, 9)
            process.popen.wait(5)
        for end in (".large", ".small"):
            self.file.with_suffix(end).unlink(missing_ok=True)


@pytest.fixture
def load(lab):
    made = Load(lab)
    yield made
    made.close()


@pytest.fixture
def loss(lab):
    """On the switch, so that what a node sends is seen before."""
    for link in LINKS:
        lab.block(link, "alpha", "beta", percent=LOSS_PERCENT)
        lab.block(link, "beta", "alpha", percent=LOSS_PERCENT)
    yield
    lab.heal()


@pytest.fixture
def sent(lab):
    """The frames of each node on each link, before any is lost."""
    frames = {(node.name, link): Frames(lab, node, link, "udp:4747", name="busy")
              for node in lab.pair for link in LINKS}
    yield frames
    for each in frames.values():
        each.close()


def tell(node, yoke, frames, span, kinds):
    """span: since and until.  A gap is told of each link, and of a node that sent on none."""
    gaps = [longest_gap(frames[node.name, link].times(), *span)[0] for link in LINKS]
    every = sorted(sum((frames[node.name, link].times() for link in LINKS), []))
    status = yoke.status()
    lost = [path["loss_permille"] for path in status["paths"]]
    print(f"\n{node.name}: busy for {span[1] - span[0]:.0f} s, longest gap between heartbeats sent "
          f"{longest_gap(every, *span)[0]:.0f} ms, on each link {[round(gap) for gap in gaps]} ms "
          f"(dead_ms {status['dead_ms']}), lost to it in the last minute {lost} permille, realtime "
          f"{status['realtime']}, events {sorted(set(kinds)) or 'none'}")


@pytest.mark.slow
def test_busy_machine_and_lossy_links(lab, slow, sent, owners, loss, load, capsys):
    """Default timing."""
    wait_until(load.written, 20, "the disk is written to")
    since, before = now(), {node.name: slow[node].status() for node in lab.pair}
    engines = {node.name: slow[node].engine() for node in lab.pair}
    wait_until(lambda: now() - since >= BUSY_S, BUSY_S + 60, "the time has passed", every=0.5)
    until = now()
    assert load.is_running()
    for node in lab.pair:
        yoke, old = slow[node], before[node.name]
        kinds = [event["kind"] for event in yoke.events(old["last_event"])]
        with capsys.disabled():
            tell(node, yoke, sent, (since, until), kinds)
        assert yoke.engine() == engines[node.name], "another engine"
        assert "node_lost" not in kinds and "group_starting" not in kinds
        assert yoke.peer_state(lab.other(node).name) in ("online", "late")
        group = yoke.group("web")
        assert (group["owner_name"], group["state"]) == ("alpha", "started")
        for path in old["paths"]:
            assert yoke.path(path["name"])["missed"] > path["missed"], "nothing was lost"
    assert owners.takeovers(since) == 0 and lab.owner() is lab.alpha
