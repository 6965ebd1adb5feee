"""yoke config diff and push: the other node's file is compared with this one's, and made the same.

Both nodes have the very same file: each sees its own folder at one place, which a mount namespace
of its own gives it."""

import contextlib
import json
import os
import re
import signal
import stat
import subprocess

import pytest

from courier import PUT, REFUSED, Courier
from lab import SERVICE, now, wait_until
from serial_line import Line
from service import Cluster

EXTRA = "10.9.0.150"
PUSH_KEY = "5a" * 32
LATE = ("path_one_way", "path_down", "node_late", "node_lost")


def extra(address=EXTRA):
    return ('group "extra" {\n  exclusive = no\n  nodes = { "alpha", "beta" }\n'
            f'  resource "one" {{\n    type = address\n    address = "{address}/24"\n'
            '    interface = "pub"\n  }\n}\n')


class Same:
    """A cluster whose nodes have the same file."""

    def __init__(self, world, **keys):
        world.stop()
        world.lab.restore()
        self.world, self.lab = world, world.lab
        self.here = self.lab.dir / "here"
        self.here.mkdir(exist_ok=True)
        self.here.chmod(0o755)
        self.cluster = Cluster(self.lab, start=False, snmp=False, **keys)
        self.alpha, self.beta = self.cluster.alpha, self.cluster.beta
        text = self.alpha.config.read_text()
        # The lines of the nodes name both folders, and are the same already.
        head, rest = text.split("node ", 1)
        nodes, tail = rest.rsplit("log {", 1)
        head, tail = (part.replace(str(self.alpha.dir), str(self.here)) for part in (head, tail))
        self.text = f"{head}node {nodes}log {{{tail}"
        self.key(self.here)
        for yoke in self.cluster.by_name.values():
            self.key(yoke.dir)
            for left in yoke.dir.glob("yoke.conf*"):
                left.unlink()
            yoke.config.write_text(self.text)
            yoke.config.chmod(0o640)
            yoke.start("unshare", "-m", "sh", "-c", 'mount --bind "$0" "$1"; shift; exec "$@"',
                       yoke.dir, self.here)
        world.cluster, world.keys = self.cluster, "same"
        self.cluster.settle()
        self.cluster.switch(self.lab.alpha)

    @staticmethod
    def key(folder, text=PUSH_KEY):
        file = folder / "push.key"
        file.unlink(missing_ok=True)
        file.touch(0o600)
        file.write_text(text + "\n")

    def change(self, text):
        self.alpha.config.write_text(text)

    def config(self, *arguments, timeout=400):
        return self.alpha.cli("config", *arguments, timeout=timeout)

    def pushing(self):
        return subprocess.Popen(
            self.lab.alpha.enter([self.alpha.bin / "yoke", "--socket", self.alpha.socket, "config",
                                  "push", "--yes"]),
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def has_taken(self, text):
        wait_until(lambda: self.beta.config.read_text() == text, 10, "the file is in place")

    @contextlib.contextmanager
    def gate(self):
        """The next reload of beta's waits until it is told "go" or "no"; yields how to tell it,
        which waits for the reload to be there.  The one after it does not wait."""
        program, kept, fifo = (self.beta.bin / name for name in ("yoked", "yoked.kept", "gate"))
        os.mkfifo(fifo)
        program.rename(kept)
        program.write_text(f'#!/bin/sh\nread word <{fifo}\nmv {kept} {program}\n'
                           f'[ "$word" = go ] && exec {program} "$@"\nexit 1\n')
        program.chmod(0o755)
        opened = []

        def open_gate():
            with contextlib.suppress(OSError):  # nobody is there
                opened.append(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
            return opened

        def tell(word):
            if not opened:
                wait_until(open_gate, 10, "a reload")
            if word:
                os.write(opened[0], word.encode() + b"\n")
        try:
            yield tell
        finally:
            fifo.unlink()
            for fd in opened:
                os.close(fd)
            if kept.exists():
                kept.rename(program)

    def unchanged(self, engine):
        """beta has its file and its engine, and nothing lies about."""
        assert self.beta.config.read_text() == self.text
        assert self.beta.engine() == engine
        assert [f.name for f in self.beta.dir.glob("yoke.conf*")] == ["yoke.conf"]


@pytest.fixture
def same(world):
    made = Same(world)
    yield made
    world.stop()


def test_push_makes_both_the_same(lab, same, owners):
    """The file is there, the old one beside it, the group runs, and nothing moved."""
    done = same.config("diff")
    assert done.returncode == 0 and done.stdout == "", done.stdout + done.stderr
    since = now()
    before = {name: y.last_event() for name, y in same.cluster.by_name.items()}
    same.change(same.text + extra())
    done = same.config("diff")
    assert done.returncode == 1, done.stderr
    assert '+group "extra" {' in done.stdout and "\n-" not in done.stdout.replace("\n---", "")
    told = json.loads(same.config("diff", "--json").stdout)
    assert told["node"] == "beta" and told["same"] is False and told["runs"] is True
    assert told["diff"] == done.stdout
    refused = same.config("push")
    assert refused.returncode == 1 and "--yes says" in refused.stderr
    same.unchanged(same.beta.engine())

    done = same.config("push", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"push \d+ bytes to beta over the path red: about \d+ s", done.stdout)
    assert "this node does not yet: 'yoke reload' here" in done.stdout
    assert same.beta.config.read_text() == same.text + extra()
    assert (same.beta.dir / "yoke.conf.old").read_text() == same.text
    assert stat.S_IMODE(same.beta.config.stat().st_mode) == 0o640
    assert stat.S_IMODE((same.beta.dir / "yoke.conf.old").stat().st_mode) == 0o640
    assert same.beta.has_event("config_taken", before["beta"])
    done = same.alpha.cli("reload")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: lab.owner(EXTRA), 10, "the new group runs")
    assert same.config("diff").returncode == 0
    done = same.config("push")
    assert done.returncode == 0 and "has the same file, and goes by it" in done.stdout
    same.cluster.settle(lab.alpha)
    assert owners.takeovers(since) == 0 and owners.both_ms(since) == 0
    for name, yoke in same.cluster.by_name.items():
        for kind in ("node_lost", "group_held", "node_left", "resource_failed"):
            assert not yoke.has_event(kind, before[name]), f"{kind} on {name}"


def test_a_comment_is_pushed_without_another_engine(same):
    """Through a link, which stays one: the old file lies beside what it names."""
    engine, file = same.beta.engine(), same.beta.dir / "yoke.conf.true"
    same.beta.config.rename(file)
    same.beta.config.symlink_to(file)
    same.change("# what we run\n" + same.text)
    done = same.config("push", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"its old file is {file}.old\n" in done.stdout
    assert same.beta.config.is_symlink()
    assert same.beta.config.read_text() == "# what we run\n" + same.text
    assert file.with_name(file.name + ".old").read_text() == same.text
    assert same.beta.engine() == engine


def test_the_file_that_is_there_already_is_gone_by(same):
    """yoked there goes by another one: nothing is replaced, and nothing is put back."""
    before, old = same.beta.last_event(), same.beta.dir / "yoke.conf.old"
    old.write_text("of an earlier push\n")
    for yoke in same.cluster.by_name.values():
        yoke.config.write_text(same.text + extra())
    with same.gate() as tell:
        push = same.pushing()
        tell("no")
        out, said = push.communicate(timeout=60)
    assert push.returncode == 1, out
    assert "yoked on beta does not go by its file yet" in said
    assert "beta: yoked does not take it" in said and said.endswith("beta: nothing was changed\n")
    assert same.beta.config.read_text() == same.text + extra()
    assert old.read_text() == "of an earlier push\n"
    done = same.config("push", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert same.beta.has_event("config_taken", before)
    assert same.beta.config.read_text() == same.text + extra()
    assert old.read_text() == "of an earlier push\n"


@pytest.mark.parametrize("word", ["no", "go"])
def test_somebody_elses_reload_at_that_moment(same, word):
    """It is refused: then the pushed file is tried; it is taken: with the pushed file.  Neither
    puts the old one back."""
    before = same.beta.last_event()
    same.change(same.text + extra())
    with same.gate() as tell:
        os.kill(same.beta.pids("keeper")[0], signal.SIGHUP)
        tell("")
        push = same.pushing()
        same.has_taken(same.text + extra())
        tell(word)
        out, said = push.communicate(timeout=60)
    assert push.returncode == 0, out + said
    assert same.beta.config.read_text() == same.text + extra()
    assert same.beta.has_event("config_taken", before)
    assert same.config("push").stdout == "beta has the same file, and goes by it\n"


@pytest.mark.parametrize("is_gone, says", [
    (True, "beta: the old file cannot be put back"),
    (False, "has been changed since, and is left as it is"),
], ids=["gone", "by hand"])
def test_what_cannot_be_put_back_is_said(same, is_gone, says):
    same.change(same.text + extra())
    with same.gate() as tell:
        push = same.pushing()
        tell("")
        if is_gone:
            (same.beta.dir / "yoke.conf.old").unlink()
        else:
            same.beta.config.write_text(same.text + "# by hand\n")
        tell("no")
        out, said = push.communicate(timeout=60)
    assert push.returncode == 1, out
    assert says in said and "nothing was changed" not in said
    assert same.beta.config.read_text() == same.text + (extra() if is_gone else "# by hand\n")


def test_one_at_a_time(same):
    """Another push meanwhile is told so, and not what becomes of the first."""
    engine, courier = same.beta.engine(), Courier(same.alpha, "beta")
    same.change(same.text + extra())
    with same.gate() as tell:
        push = same.pushing()
        tell("")
        state, came = courier.put(PUSH_KEY, courier.get()[0], same.text)
        assert state == REFUSED and "another file is being taken" in came
        assert "nothing was changed" in came
        tell("no")
        out, said = push.communicate(timeout=60)
    assert push.returncode == 1 and "it was not taken" in said, out + said
    assert same.beta.config.read_text() == same.text and same.beta.engine() == engine


@pytest.mark.parametrize("change, says", [
    (('user = "yoke"', 'user = "yoke-snmp"'),
     "beta: needs a restart: user cannot change while yoked runs: 'systemctl restart yoked'"),
    (("beta", "gamma"), 'beta: no node "beta" is configured'),
], ids=["restart", "unknown"])
def test_what_the_other_node_refuses_changes_nothing(same, change, says):
    engine = same.beta.engine()
    same.change(same.text.replace(*change))
    done = same.config("push", "--yes")
    assert done.returncode == 1, done.stdout
    assert says in done.stderr and "beta: nothing was changed\n" in done.stderr
    assert "yoked does not take it" not in done.stderr, "it was put in place before"
    same.unchanged(engine)


def test_the_other_nodes_check_says_it_word_for_word(same):
    """From a yoke that does not check: all that `yoke check` there would say."""
    engine, courier = same.beta.engine(), Courier(same.alpha, "beta")
    bad = same.text.replace("exclusive", "exklusive").replace("dead_ms", "dead") + "group {\n"
    nonce, word, _, text = courier.get()
    assert (word, text) == ("same", same.text)
    state, came = courier.put(PUSH_KEY, nonce, bad)
    file = same.beta.dir / "bad.conf"
    file.write_text(bad)
    check = same.beta.cli("check", file)
    file.unlink()
    wanted = [line for line in (check.stdout + check.stderr).splitlines()
              if ": error: " in line or ": warning: " in line]
    assert state == REFUSED and len(wanted) > 1
    assert came.splitlines() == [line.replace(str(file), str(same.beta.config))
                                 for line in wanted] + ["nothing was changed"]
    same.unchanged(engine)


def test_only_who_has_the_push_key_gives_root_a_file(same):
    """Not the cluster's key, which engines have; and nothing said before is worth anything."""
    engine, courier = same.beta.engine(), Courier(same.alpha, "beta")
    good = same.text + "# good\n"
    cluster_key = same.alpha.key_file.read_text().strip()
    state, came = courier.put(cluster_key, courier.get()[0], good)
    assert state == REFUSED and "is not sealed by this node's" in came
    state, came = courier.put(PUSH_KEY, "0" * 32, good)
    assert state == REFUSED and "is not sealed by this node's" in came
    for other in ({"node": "alpha"}, {"shown": same.text + "# doctored\n"}):
        state, came = courier.put(PUSH_KEY, courier.get()[0], good, **other)
        assert state == REFUSED and "is not sealed by this node's" in came, other
    same.unchanged(engine)
    nonce = courier.get()[0]
    assert courier.put(PUSH_KEY, nonce, good)[0] != REFUSED
    state, came = courier.put(PUSH_KEY, nonce, same.text)
    assert state == REFUSED and "this is no answer to what was shown" in came
    (_, _, _, taken, _, _, state), _ = courier.turn(PUT, 1, 0, 0, 9999, b"the first piece")
    assert (state, taken) == (REFUSED, 15), "before the rest of it is sent"
    nonce = courier.get()[0]
    same.beta.config.write_text(same.text + "# by hand\n")
    state, came = courier.put(PUSH_KEY, nonce, same.text)
    assert state == REFUSED and "has been changed since it was shown" in came
    assert same.beta.config.read_text() == same.text + "# by hand\n"
    (same.beta.dir / "push.key").unlink()
    state, came = courier.put(PUSH_KEY, courier.get()[0], same.text)
    assert state == REFUSED and "yoke key generate" in came


def test_what_yoked_does_not_take_is_put_back(same):
    """The file is good, but for a warning, and the program that is installed now is not."""
    engine, program = same.beta.engine(), same.beta.bin / "yoked"
    kept = program.with_name("yoked.kept")
    same.change(same.text.replace('name = "lab"', 'name = "lab"\n  interval_ms = 300') + extra())
    program.rename(kept)
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    try:
        done = same.config("push", "--yes")
    finally:
        kept.rename(program)
    assert done.returncode == 1, done.stdout
    assert re.search(r"^beta: .*: warning: ", done.stderr, re.M), done.stderr
    assert "beta: yoked does not take it: it cannot be tried" in done.stderr
    assert "beta: nothing was changed: the old file is in its place again\n" in done.stderr
    same.unchanged(engine)


def test_a_push_that_is_cut_changes_nothing(world, lab):
    """beta's paths are cut while it is sent; afterwards it can be sent again."""
    same = Same(world, dead_ms=4000)
    try:
        engine = same.beta.engine()
        same.change(same.text + extra() + "# much more to send\n" * 200)
        push = same.pushing()
        for line in push.stdout:
            if line.startswith("push "):
                break
        lab.split()
        out, said = push.communicate(timeout=60)
        assert push.returncode == 1, out + said
        assert "beta is not in contact" in said and "it broke off: nothing was changed" in said
        same.unchanged(engine)
        lab.heal()
        wait_until(lambda: same.alpha.peer_state("beta") == "online", 20, "beta is back")
        done = same.config("push", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        assert same.beta.config.read_text() == same.alpha.config.read_text()
    finally:
        world.stop()


def test_who_is_not_there_is_said(lab, same):
    same.change(same.text + extra())
    lab.beta.power_cut()
    wait_until(lambda: same.alpha.peer_state("beta") == "lost", 10, "beta is lost")
    for verb, code in (("diff", 2), ("push", 1)):
        done = same.config(verb)
        assert done.returncode == code and "beta is not in contact" in done.stderr, done.stderr
    lab.beta.power_on()


def test_only_root(same):
    for verb, code in (("diff", 2), ("push", 1)):
        done = same.alpha.node.try_run("setpriv", "--reuid", "yoke", "--regid", "yoke",
                                       "--clear-groups", same.alpha.bin / "yoke", "--socket",
                                       same.alpha.socket, "config", verb)
        assert done.returncode == code and "run it as root" in done.stderr, done.stderr
    answer = json.loads(same.alpha.node.run(
        "setpriv", "--reuid", "yoke", "--regid", "yoke", "--clear-groups", "/usr/bin/python3",
        "-c", "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
        "s.sendall(b'{\"do\":\"piece\",\"node\":\"beta\",\"piece\":\"\"}\\n');"
        "print(s.recv(9999).decode())", same.alpha.socket))
    assert answer["error"] == "denied"


def told_s(stream):
    """How long the next step takes, as soon as it is said."""
    for line in stream:
        told = re.search(r"over the path wire: about (\d+) s", line)
        if told:
            return int(told.group(1)), now()
    raise AssertionError("it is not said how long it takes")


def lateness(yoke):
    path = yoke.path("wire")
    return {key: path[key] for key in ("state", "changed_wall_ms", "flaps", "delayed", "missed")}


@pytest.mark.slow
def test_over_a_serial_line_alone(world, lab, owners):
    """At 9600: it is said how long it takes, and heartbeats are never late for it."""
    world.stop()
    line = Line(*[node.dir / "tty" for node in lab.pair], 9600)
    try:
        same = Same(world, dead_ms=2000, baud=9600, links=(), groups=extra(SERVICE).replace(
            '"extra"', '"web"'))
        start = now()
        before = {name: yoke.last_event() for name, yoke in same.cluster.by_name.items()}
        late = {name: lateness(yoke) for name, yoke in same.cluster.by_name.items()}
        carried = list(line.carried)
        same.change(same.text.replace("exclusive = no", "exclusive = no # a service address"))
        push = same.pushing()
        read_s, read_at = told_s(push.stderr)
        push_s, push_at = told_s(push.stdout)
        out, said = push.communicate(timeout=400)
        assert push.returncode == 0, out + said
        took = now() - start
        for told, spent in (read_s, push_at - read_at), (push_s, now() - push_at):
            assert told / 2 <= spent <= told * 2, f"told {told} s, took {spent:.1f} s"
        assert same.beta.config.read_text() == same.alpha.config.read_text()
        share = max(b - a for a, b in zip(carried, line.carried)) / (took * 960)
        assert share < 0.30
        for name, yoke in same.cluster.by_name.items():
            for kind in LATE:
                assert not yoke.has_event(kind, before[name]), f"{kind} on {name}"
            assert lateness(yoke) == late[name]
        # And one by which yoked there becomes another one, which is told as well.
        same.change(same.text.replace("dead_ms = 2000", "dead_ms = 2000\n  refresh_ms = 50000"))
        done = same.config("push", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        assert same.beta.config.read_text() == same.alpha.config.read_text()
        assert same.beta.has_event("config_taken", before["beta"])
        assert owners.takeovers(start) == 0
    finally:
        world.stop()
        line.close()
