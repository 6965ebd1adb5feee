"""yoke config: what it says and does with another node's courier that a script plays."""

import json
import os
import pty
import re
import struct
import subprocess

import pytest

from engine import BOUND_S, CONF, engine_of_file
from test_cli import YOKE, environment

HEADER = struct.Struct(">BBIIIIB")
MORE, DONE, REFUSED, UNKNOWN = 1, 2, 3, 4
NONCE = "0123456789abcdef" * 2
ROOM = 100


class Peer:
    """The other node's courier, as the engine of this one shows it."""

    def __init__(self, engine, text=CONF):
        self.engine, self.text = engine, text
        self.runs = "same"
        self.judge = lambda text: (DONE, "")  # of a file that was put, what becomes of it
        self.lost = lambda count: False  # of the pieces that are sent, which ones are
        self.shown = lambda: None  # what becomes of it once the file was shown
        self.way, self.turn_ms = 1, 10
        self.heard, self.last, self.sent = 0, b"", 0
        self.number, self.came, self.out, self.state = 0, b"", b"", MORE
        self.largest = 0
        self.put = []

    def __call__(self, client):
        piece = bytes.fromhex(self.engine.requests[-1]["piece"])
        if piece:
            self.sent += 1
            self.largest = max(self.largest, len(piece))
            if not self.lost(self.sent):
                self.heard += 1
                self.last = self.answer(piece)
        client.sendall(json.dumps({"ok": True, "way": self.way, "room": ROOM,
                                   "turn_ms": self.turn_ms, "heard": self.heard,
                                   "piece": self.last.hex()}).encode() + b"\n")

    def answer(self, piece):
        _, verb, number, taken, offset, total, _ = HEADER.unpack(piece[:HEADER.size])
        if number != self.number and (offset, taken) == (0, 0):
            self.number, self.came, self.out, self.state = number, b"", b"", MORE
            if verb == 1:
                self.out = f"{NONCE} {self.runs}\n/etc/other.conf\n{self.text}".encode()
                self.state = DONE
                self.shown()
        if number != self.number:
            return HEADER.pack(2, verb, number, 0, 0, 0, UNKNOWN)
        if offset == len(self.came):
            self.came += piece[HEADER.size:]
        if verb == 2 and self.state == MORE and len(self.came) == total:
            seal, text = self.came.decode().split("\n", 1)
            self.put.append(seal)
            self.state, said = self.judge(text)
            self.out = said.encode()
        part = self.out[taken:taken + ROOM - HEADER.size]
        return HEADER.pack(2, verb, number, len(self.came), taken, len(self.out),
                           self.state) + part


@pytest.fixture
def engine(place):
    conf = CONF.replace("name = shop", f'name = shop key_file = "{place}/cluster.key"')
    served = engine_of_file(place, conf)
    served.conf = conf
    key = place / "push.key"
    key.touch(0o600)
    key.write_text("5a" * 32 + "\n")
    served.push_key = key
    yield served
    served.close()


@pytest.fixture
def peer(engine):
    made = Peer(engine, engine.conf)
    engine.override["piece"] = made
    return made


def config(engine, *arguments, stdin=subprocess.DEVNULL, **more):
    return subprocess.run([YOKE, "config", *arguments, "--socket", engine.path], text=True,
                          capture_output=True, stdin=stdin, env=environment(), check=False,
                          timeout=BOUND_S, **more)


def test_the_same(engine, peer):
    done = config(engine, "diff")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert peer.largest <= ROOM
    told = json.loads(config(engine, "diff", "--json").stdout)
    assert told == {"node": "beta", "same": True, "runs": True, "diff": ""}
    done = config(engine, "push")
    assert done.returncode == 0 and "beta has the same file, and goes by it" in done.stdout
    assert peer.put == []


def test_a_difference(engine, peer):
    """- is theirs, + is ours; what could move a cursor does not."""
    peer.text = engine.conf.replace("exclusive = no", 'exclusive = yes # \x1b[2J"\\ ä')
    done = config(engine, "diff", "beta")
    assert done.returncode == 1
    assert done.stdout.startswith(f"--- beta:/etc/other.conf\n+++ alpha:{engine.file}\n@@ ")
    assert '-  exclusive = yes # ?[2J"\\ ä\n+  exclusive = no\n' in done.stdout
    told = json.loads(config(engine, "diff", "--json").stdout)
    assert told["diff"] == done.stdout and not told["same"]


def test_a_file_that_yoked_there_does_not_go_by(engine, peer):
    peer.runs = "other"
    done = config(engine, "diff")
    assert done.returncode == 0 and "'yoke reload' there" in done.stderr
    done = config(engine, "push", "--yes")
    assert done.returncode == 0 and len(peer.put) == 1
    assert "more may change there than is listed" in done.stderr
    assert done.stdout.endswith("beta goes by it now\n"), "it had the file before"


def test_lost_pieces_are_sent_again(engine, peer):
    peer.lost = lambda count: count % 5 == 3
    peer.text = engine.conf.replace("exclusive = no", "exclusive = yes")
    got = []
    peer.judge = lambda text: got.append(text) or (DONE, "")
    done = config(engine, "push", "--yes")
    assert done.returncode == 0, done.stderr
    assert got == [engine.conf]


def test_push_asks_and_says_what_ends(engine, peer):
    peer.text = engine.conf.replace("group web", "group mail").replace("10.3.", "10.4.")
    done = config(engine, "push")
    assert done.returncode == 1 and "--yes says that the other node may get this" in done.stderr
    assert "group mail: not run here any more" in done.stdout
    ours, theirs = pty.openpty()
    os.write(ours, b"n\n")
    done = config(engine, "push", stdin=theirs)
    assert done.returncode == 1 and "nothing was changed" in done.stderr
    assert re.search(r"push \d+ bytes to beta over the path eth1: about 1 s; go on\? \[y/N\]",
                     done.stdout)
    assert peer.put == []
    os.write(ours, b"y\n")
    done = config(engine, "push", stdin=theirs)
    assert done.returncode == 0, done.stderr
    assert "beta goes by it now; its old file is /etc/other.conf.old" in done.stdout
    assert len(peer.put) == 1
    os.close(ours)
    os.close(theirs)


def test_what_would_not_be_taken_is_said_before_it_is_sent(engine, peer):
    peer.text = engine.conf.replace("name = shop", "name = mall")
    done = config(engine, "push")
    assert done.returncode == 1 and peer.put == []
    assert "beta would not take it: the cluster's name cannot change" in done.stderr


def test_an_error_here_is_not_sent(engine, peer):
    engine.file.write_text(engine.conf.replace("exclusive", "exklusive"))
    done = config(engine, "push", "--yes")
    assert done.returncode == 1 and f"{engine.file}:5: error: " in done.stderr
    assert peer.sent == 0


def test_a_refusal_is_told_word_for_word(engine, peer):
    peer.text = engine.conf + "# more\n"
    peer.judge = lambda text: (REFUSED, "/etc/other.conf:7: error: no\nneeds a restart: \x1buser\n")
    done = config(engine, "push", "--yes")
    assert done.returncode == 1
    assert done.stderr == "beta: /etc/other.conf:7: error: no\nbeta: needs a restart: ?user\n"


@pytest.mark.parametrize("is_last, says", [
    (False, "nothing was changed on the other node"),
    (True, "it is not known whether it was taken: look with 'yoke config diff'"),
], ids=["early", "last"])
def test_what_broke_off_is_not_known_once_all_was_sent(engine, peer, is_last, says):
    """The piece, or only its answer, is lost, and no path is up any more."""
    peer.text = engine.conf + "# more\n"

    def lost(_):
        piece = bytes.fromhex(engine.requests[-1]["piece"])
        _, verb, _, _, offset, total, _ = HEADER.unpack(piece[:HEADER.size])
        is_end = offset + len(piece) - HEADER.size == total
        if verb != 2 or is_end != is_last:
            return False
        peer.way = 0
        return True
    peer.lost = lost
    done = config(engine, "push", "--yes")
    assert done.returncode == 1
    assert done.stderr == ("yoke: beta is not in contact: no path to it is up\n"
                           f"yoke: it broke off: {says}\n")


@pytest.mark.parametrize("is_taken, runs, code, says", [
    (True, "same", 0, ""),
    (True, "other", 1, "yoked there does not go by it yet"),
    (False, "same", 1, "it was not taken, or broke off: the other node has not this file"),
], ids=["taken", "not reloaded", "not taken"])
def test_another_courier_is_asked_what_became_of_it(engine, peer, is_taken, runs, code, says):
    """yoked there has become another process, which knows of nothing."""
    peer.text = engine.conf + "# more\n"

    def judge(text):
        peer.text, peer.runs = text if is_taken else peer.text, runs
        return UNKNOWN, ""
    peer.judge = judge
    done = config(engine, "push", "--yes", "--timeout", "1")
    assert done.returncode == code and says in done.stderr, done.stderr


def test_it_is_looked_again_until_yoked_there_goes_by_it(engine, peer):
    peer.text = engine.conf + "# more\n"
    looked = []

    def judge(text):
        peer.text, peer.runs = text, "other"
        peer.shown = lambda: looked.append(1) or setattr(peer, "runs", "same")
        return UNKNOWN, ""
    peer.judge = judge
    done = config(engine, "push", "--yes")
    assert done.returncode == 0 and looked, done.stderr


def test_without_the_key_of_pushes(engine, peer):
    peer.text = engine.conf + "# more\n"
    engine.push_key.chmod(0o644)
    done = config(engine, "push", "--yes")
    assert done.returncode == 1 and "is open to others" in done.stderr
    engine.push_key.unlink()
    done = config(engine, "push", "--yes")
    assert done.returncode == 1 and f"yoke key generate {engine.push_key}" in done.stderr
    assert peer.put == []


@pytest.mark.parametrize("verb, code", [("diff", 2), ("push", 1)])
def test_no_contact(engine, peer, verb, code):
    peer.way = 0
    done = config(engine, verb)
    assert done.returncode == code
    assert "beta is not in contact: no path to it is up" in done.stderr


def test_an_older_yoke_there(engine, peer):
    peer.lost = lambda count: True
    done = config(engine, "diff")
    assert done.returncode == 2
    assert "beta does not answer: is its yoked older than 'yoke config'?" in done.stderr
    assert peer.sent > 5


def test_an_older_yoked_here(engine):
    engine.override["piece"] = b'{"ok":false,"error":"bad-request"}\n'
    done = config(engine, "diff")
    assert done.returncode == 2 and "yoked is older than this yoke: restart it" in done.stderr


def test_garbage(engine, peer):
    peer.text = "x" * 300000
    done = config(engine, "diff", "--timeout", "2")
    assert done.returncode == 2


@pytest.mark.parametrize("arguments, says", [
    (["diff", "alpha"], "no other node"), (["push", "gamma"], "no other node"),
    (["pull"], "yoke config push"), (["push", "--json"], "yoke config push")])
def test_wrong_arguments(engine, peer, arguments, says):
    done = config(engine, *arguments)
    assert done.returncode in (1, 2) and says in done.stderr
    assert peer.sent == 0
