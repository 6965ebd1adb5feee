"""Five paths of four kinds, some of them cut, one way or both: the verdict of both nodes, and that
nothing moves while one path works both ways.  A dozen of what `sim --ways` has all of, for real.

A combination is a letter for each of red, blue, wire, platter and pub, as in tests/sim/ways.h:
u: up, a: nothing from alpha arrives, b: nothing from beta, x: cut both ways."""

import contextlib
import json
import os
import threading
import time

import pytest

from lab import now, run, wait_until
from serial_line import Line
from test_disk import Platter

PATHS = ("red", "blue", "wire", "platter", "pub")
BAUD = 19200  # a heartbeat on the line every 200 ms, as on the disk
DEAD_S = 1.0
HOLD_S = 3 * DEAD_S
BLOCK, FIRST_POST = 4096, 5  # hb/disk.h: where node 1's post is


class Mirror:
    """A disk of which each node has a copy of its own: what one posts is copied to the other's,
    unless that direction is cut.  Then what was posted before stands there."""

    STEP_S = 0.01

    def __init__(self, lab):
        self.platter = Platter(lab)
        self.platter.init()
        self.files = []
        for node in lab.pair:
            file = node.dir / "platter"
            file.write_bytes(self.platter.file.read_bytes())
            self.files.append(os.open(file, os.O_RDWR))
        self.is_cut = [False, False]
        self.is_closed = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        seen = [b"", b""]
        while not self.is_closed:
            for source in (0, 1):
                at = (FIRST_POST + source) * BLOCK
                post = os.pread(self.files[source], BLOCK, at)
                if post != seen[source] and not self.is_cut[source]:
                    os.pwrite(self.files[1 - source], post, at)
                    seen[source] = post
            time.sleep(self.STEP_S)

    def close(self):
        self.is_closed = True
        self.thread.join(2)
        for file in self.files:
            os.close(file)


class Ways:
    """The cluster, and what can be cut of it."""

    def __init__(self, world, line, mirror):
        self.lab, self.line, self.mirror = world.lab, line, mirror
        self.mend()
        self.cluster = world.ready(snmp=False, links=("red", "blue", "pub"), public=("pub",),
                                   baud=BAUD, disk="platter")

    def mend(self):
        self.lab.heal()
        self.line.heal()
        self.mirror.is_cut = [False, False]

    def cut(self, letters):
        """All at once, as far as it can be done."""
        for direction, source in enumerate(("alpha", "beta")):
            wanted = [letter in (source[0], "x") for letter in letters]
            self.line.cut(direction, wanted[PATHS.index("wire")])
            self.mirror.is_cut[direction] = wanted[PATHS.index("platter")]
            for link in ("red", "blue", "pub"):
                if wanted[PATHS.index(link)]:
                    self.lab.block(link, source, "beta" if source == "alpha" else "alpha")

    @staticmethod
    def expected(node, letter):
        if letter == "u":
            return "up"
        return "oneWay" if letter == node[0] else "down"

    def wait_verdict(self, letters):
        for node in ("alpha", "beta"):
            wanted = {name: self.expected(node, letter) for name, letter in zip(PATHS, letters)}

            def seen(at=node):
                return {p["name"]: p["state"] for p in self.cluster[at].status()["paths"]}
            try:
                wait_until(lambda: seen() == wanted, 20, "the verdict", every=0.05)
            except AssertionError:
                assert (node, seen()) == (node, wanted)

    def lost(self, before):
        """The nodes that found the other one lost."""
        return [node for node, event in before.items()
                if self.cluster[node].has_event("node_lost", event)]

    def last_events(self):
        return {node: self.cluster[node].last_event() for node in ("alpha", "beta")}

    def hold(self, owners, since, before):
        """Nothing moves, for some dead times more."""
        began = now()
        wait_until(lambda: now() - began >= HOLD_S, HOLD_S + 5, "some dead times", every=0.1)
        assert self.lost(before) == []
        assert owners.takeovers(since) == 0 and self.lab.owner() is self.lab.alpha
        for node, peer in (("alpha", "beta"), ("beta", "alpha")):
            assert self.cluster[node].peer_state(peer) == "online"
            group = self.cluster[node].group("web")
            assert (group["owner_name"], group["state"]) == ("alpha", "started")

    def wait_takeover(self, before):
        # A public path that is slow must not make it longer: that would take five seconds.
        wait_until(lambda: len(self.lost(before)) == 2, 3.5, "both find the other lost")
        wait_until(self.lab.beta.has, 2, "beta has taken over")

    def wait_one_owner(self):
        self.mend()
        self.cluster.settle()


@contextlib.contextmanager
def known_hardware(lab):
    """Each node knows the other's hardware addresses for good.  Else it would have to ask again
    after some seconds, would get no answer on a link that is cut one way, and be silent there,
    too."""
    entries = []
    for node in lab.pair:
        peer = lab.other(node)
        for card in json.loads(run("ip", "-n", peer.space, "-j", "link", "show")):
            if card["ifname"] in peer.links:
                entries.append((node, f"{peer.address(card['ifname'])} dev {card['ifname']}",
                                card["address"]))
    for node, entry, hardware in entries:
        node.ip(f"neighbour replace {entry} lladdr {hardware} nud permanent")
    yield
    for node, entry, _ in entries:
        node.ip(f"neighbour del {entry}")


@pytest.fixture(scope="module")
def cables(world):
    line = Line(*(node.dir / "tty" for node in world.lab.pair), BAUD)
    mirror = Mirror(world.lab)
    with known_hardware(world.lab):
        yield line, mirror
    world.stop()
    line.close()
    mirror.close()


@pytest.fixture
def ways(world, cables):
    made = Ways(world, *cables)
    yield made
    made.mend()


@pytest.mark.parametrize("letters", [
    "uxxxx", "xxuxx", "xxxux", "xxxxu",  # one is left
    "axxux", "bbuxx", "uaaaa",           # and some are one way
    "aaaau", "bbbub",                    # all but one, in the same direction
    "abuxx", "abaub", "abbau",           # both directions, but on no path except one
])
def test_one_path_is_left(ways, owners, letters):
    since, before = now(), ways.last_events()
    ways.cut(letters)
    ways.wait_verdict(letters)
    ways.hold(owners, since, before)
    ways.wait_one_owner()
    assert owners.takeovers(since) == 0 and ways.lost(before) == []


@pytest.mark.parametrize("letters", ["xxxxx", "aaaaa", "ababa"])
def test_no_path_is_left(ways, letters):
    """Nobody can be asked, and nobody answers for the address: taken over, and one owner at the
    end."""
    before = ways.last_events()
    ways.cut(letters)
    ways.wait_takeover(before)
    ways.wait_verdict(letters)
    ways.wait_one_owner()


def test_one_after_the_other(ways, owners):
    """Until the public one is left, and then that one."""
    since, before = now(), ways.last_events()
    for letters in ("xuuuu", "xxuuu", "xxxuu", "xxxxu"):
        ways.cut(letters)
        ways.wait_verdict(letters)
    ways.hold(owners, since, before)
    ways.cut("xxxxx")
    ways.wait_takeover(before)
    ways.wait_one_owner()
