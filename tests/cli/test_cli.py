"""The command line against a stand-in engine: text, JSON, exit codes, every kind of bad answer."""

import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from engine import BOUND_S, Engine, snapshot

TOP = pathlib.Path(__file__).resolve().parents[2]
YOKE = os.environ.get("YOKE", str(TOP / "build" / "yoke"))
VERBS = ["status", "watch", "history", "switch", "failback", "standby", "online", "confirm-down",
         "maintenance", "resume", "simulate", "check", "reload", "config", "key", "disk",
         "serial-test", "replay", "version"]
TOO_LONG = 2_000_000  # more bytes than YOKE_LINE_SIZE


@pytest.fixture
def engine(place):
    served = Engine(place / "s")
    yield served
    served.close()


def environment(**more):
    removed = ("YOKE_SOCKET", "NO_COLOR", "SUDO_USER")
    kept = {k: v for k, v in os.environ.items() if k not in removed}
    return dict(kept, TZ="UTC", LC_ALL="C.UTF-8", **more)


def yoke(*arguments, env=None, **more):
    return subprocess.run([YOKE, *arguments], capture_output=True, text=True, timeout=BOUND_S,
                          stdin=subprocess.DEVNULL, env=env or environment(), check=False, **more)


def ask(engine, *arguments, **more):
    return yoke(*arguments, "--socket", engine.path, **more)


def columns(text, heading):
    """The rows below a heading, split at two blanks."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(heading))
    rows = []
    for line in lines[start + 1:]:
        if not line:
            break
        rows.append(re.split(r"\s{2,}", line.strip()))
    return rows


# ---- help and the command line

def test_help_lists_every_verb():
    done = yoke("--help")
    assert done.returncode == 0 and done.stderr == ""
    for verb in VERBS:
        assert re.search(r"^  %s\b" % verb, done.stdout, re.M), verb


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_each_verb(verb):
    done = yoke(verb, "--help")
    assert done.returncode == 0 and done.stdout.startswith("usage: yoke " + verb)
    assert yoke("help", verb).stdout == done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 90


def test_no_verb_is_usage():
    done = yoke()
    assert done.returncode == 2 and "usage:" in done.stderr and done.stdout == ""


@pytest.mark.parametrize("given,meant", [("statu", "status"), ("swich", "switch"),
                                         ("onlin", "online"), ("failbak", "failback"),
                                         ("stanby", "standby")])
def test_unknown_verb_suggests_the_nearest(given, meant):
    done = yoke(given)
    assert done.returncode == 2 and "'yoke %s'" % meant in done.stderr


@pytest.mark.parametrize("arguments", [
    ["fly-me-to-the-moon"], ["status", "--wrong"], ["status", "extra"], ["switch", "web"],
    ["switch", "web", "beta", "x"], ["history", "-n", "0"], ["history", "-n", "513"],
    ["history", "-n", "many"], ["history", "-n"], ["status", "--timeout", "-1"], ["replay"],
    ["switch", "web", "beta", "--timeout", "3601"], ["key"], ["key", "destroy"],
    ["standby", "--reason", "x" * 64], ["standby", ""], ["standby", "n" * 32], ["confirm-down"],
    ["maintenance", "web"], ["maintenance", "grp", "web"], ["resume", "node", ""],
    ["confirm-down", "beta", "--by", ""], ["confirm-down", "beta", "--ticket", "x" * 32],
    ["status", "--socket", "/" + "x" * 120],
])
def test_wrong_command_lines(arguments):
    done = yoke(*arguments)
    assert done.returncode == 2 and done.stderr.startswith("yoke: ") and done.stdout == ""


def test_version():
    for form in ("version", "--version"):
        assert re.fullmatch(r"yoke \d+\.\d+\.\d+\n", yoke(form).stdout)


# ---- status

def test_status_text(engine):
    for n in range(9):
        engine.add("path_up", "event number %d" % (n + 1))
    done = ask(engine, "status")
    assert done.returncode == 0 and done.stderr == "" and "\033" not in done.stdout
    assert done.stdout.startswith("cluster shop is ok: both nodes are online\nas alpha sees it;")
    assert columns(done.stdout, "GROUP") == [
        ["web", "alpha", "started", "ok", "7", "3 min", "0", "preferred node"]]
    assert columns(done.stdout, "NODE") == [
        ["alpha", "online", "-", "-", "0.1.0", "this node"],
        ["beta", "online", "5 s", "1 of 1", "0.1.0"]]
    assert columns(done.stdout, "PATH") == [
        ["eth1", "udp", "beta", "up", "-", "240 us", "0.3 %", "0"]]
    assert columns(done.stdout, "STANDBY FOR") == [
        ["web", "beta", "stopped", "no", "eth0 has no carrier"]]
    assert columns(done.stdout, "RESOURCE") == [
        ["web-ip", "web", "192.0.2.10/24 on eth0", "started", "stopped"]]
    shown = re.findall(r"event number (\d)", done.stdout)
    assert shown == ["5", "6", "7", "8", "9"]


def test_status_wide_has_addresses(engine):
    assert "10.0.1.2:4747" not in ask(engine, "status").stdout
    assert "10.0.1.2:4747" in ask(engine, "status", "--wide").stdout


def test_status_json_is_the_engines_line(engine):
    done = ask(engine, "status", "--json")
    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout)["snapshot"] == engine.snapshot


def test_where_the_socket_may_be_named(engine):
    assert yoke("status", env=environment(YOKE_SOCKET=engine.path)).returncode == 0
    for form in (["--socket", engine.path, "status"], ["--socket=" + engine.path, "status"],
                 ["status", "--socket", engine.path]):
        assert yoke(*form, env=environment(YOKE_SOCKET="/none")).returncode == 0
    assert yoke("--socket").returncode == 2


@pytest.mark.parametrize("condition,code", [("ok", 0), ("degraded", 10), ("critical", 11),
                                            ("unknown", 10)])
def test_status_exit_code(engine, condition, code):
    engine.snapshot["condition"] = condition
    assert ask(engine, "status", "--exit-code").returncode == code
    assert ask(engine, "status", "--exit-code", "--json").returncode == code
    assert ask(engine, "status").returncode == 0


def test_status_of_an_empty_cluster(engine):
    engine.snapshot = {}
    done = ask(engine, "status")
    assert done.returncode == 0 and done.stdout.startswith("cluster - is ")


def on_terminal(*arguments, until, env=None, stop=None):
    """Run with a terminal as standard output until `until` appears; returns (text, exit code)."""
    leader, follower = pty.openpty()
    child = subprocess.Popen([YOKE, *arguments], stdout=follower, stderr=follower,
                             stdin=subprocess.DEVNULL, env=env or environment())
    os.close(follower)
    text = b""
    deadline = time.monotonic() + BOUND_S
    try:
        while until not in text and time.monotonic() < deadline:
            if not select.select([leader], [], [], 1)[0]:
                continue
            try:
                text += os.read(leader, 65536)
            except OSError:
                break
        if stop is not None:
            child.send_signal(stop)
            # A terminal's buffer is small: it is read to the end, or the child could not end.
            while True:
                try:
                    text += os.read(leader, 65536)
                except OSError:
                    break
        assert until in text
        return text, child.wait(BOUND_S)
    finally:
        child.kill()
        child.wait()
        os.close(leader)


def test_colour_on_a_terminal_only_and_not_with_no_color(engine):
    engine.snapshot["nodes"][1]["state"] = "lost"
    last = b"192.0.2.10/24"
    text, code = on_terminal("status", "--socket", engine.path, until=last)
    assert code == 0 and b"\033[1;31mlost" in text
    text, code = on_terminal("status", "--socket", engine.path, until=last,
                             env=environment(NO_COLOR="1"))
    assert b"\033" not in text


# ---- history and watch

def test_history(engine):
    for n in range(200):
        engine.add("path_up", "event number %d." % (n + 1))
    assert ask(engine, "history").stdout.count("\n") == 20
    done = ask(engine, "history", "-n", "3")
    assert [line[-4:-1] for line in done.stdout.splitlines()] == ["198", "199", "200"]
    assert done.stdout.startswith("2027-01-15 08:00:00.000  info      event number 198.")
    assert ask(engine, "history", "-n", "150").stdout.count("\n") == 150


def test_history_json(engine):
    for n in range(100):
        engine.add("path_up", "event number %d" % (n + 1))
    answers = [json.loads(line) for line in
               ask(engine, "history", "--json", "-n", "90").stdout.splitlines()]
    assert [ev["seq"] for a in answers for ev in a["events"]] == list(range(11, 101))


def test_history_says_what_is_forgotten(engine):
    engine.add("path_up", "x")
    engine.override["events"] = b'{"ok":true,"missed":12,"events":[]}\n'
    assert "12 earlier events" in ask(engine, "history").stdout


class Running:
    """A yoke that goes on until a signal."""

    def __init__(self, *arguments):
        self.child = subprocess.Popen([YOKE, *arguments], stdout=subprocess.PIPE, text=True,
                                      stderr=subprocess.PIPE, env=environment())

    def line(self, stream="stdout"):
        got = []
        reader = threading.Thread(
            target=lambda: got.append(getattr(self.child, stream).readline()), daemon=True)
        reader.start()
        reader.join(BOUND_S)
        assert got, "no line"
        return got[0]

    def end(self, number=signal.SIGINT):
        self.child.send_signal(number)
        code = self.child.wait(BOUND_S)
        self.child.communicate()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_watch_prints_events_as_they_come(engine, number):
    engine.add("path_up", "an old one")
    with Running("watch", "--socket", engine.path) as watch:
        engine.wait_request("pull")
        engine.emit("node_lost", "node beta is lost", severity="critical")
        assert watch.line().endswith("critical  node beta is lost\n")
        assert watch.end(number) == 0


def test_watch_needs_no_kick(engine):
    engine.kicks = False
    with Running("watch", "--socket", engine.path) as watch:
        engine.wait_request("pull")
        engine.emit("path_up", "quietly")
        assert watch.line().endswith("quietly\n")


def test_watch_outlives_the_engine(engine):
    with Running("watch", "--socket", engine.path) as watch:
        engine.wait_request("pull")
        engine.close()
        assert "waiting for it" in watch.line("stderr")
        engine.restart()
        engine.emit("engine_started", "engine started")
        assert watch.line().endswith("engine started\n")
        assert watch.end() == 0


def test_watch_ends_when_the_engine_stays_away(engine):
    with Running("watch", "--timeout", "1", "--socket", engine.path) as watch:
        engine.wait_request("pull")
        engine.close()
        assert watch.child.wait(BOUND_S) == 3


def test_history_follow(engine):
    engine.add("path_up", "first")
    with Running("history", "--follow", "--socket", engine.path) as history:
        assert history.line().endswith("first\n")
        engine.wait_request("pull")
        engine.emit("path_up", "second")
        assert history.line().endswith("second\n")
        assert history.end() == 0


def test_watch_redraws_on_a_terminal(engine):
    engine.add("path_up", "the only event")
    text, code = on_terminal("watch", "--socket", engine.path, until=b"the only event",
                             stop=signal.SIGINT)
    assert code == 0 and b"\033[H" in text and b"cluster" in text
    assert text.rstrip().endswith(b"\033[?7h")


# ---- operations

@pytest.mark.parametrize("arguments,sent", [
    (["switch", "web", "beta"], {"do": "switch", "group": "web", "node": "beta"}),
    (["failback", "web"], {"do": "failback", "group": "web"}),
    (["failback"], {"do": "failback"}),
    (["standby", "beta"], {"do": "standby", "node": "beta"}),
    (["standby"], {"do": "standby", "node": "alpha"}),
    (["online"], {"do": "online", "node": "alpha"}),
    (["confirm-down", "beta"], {"do": "confirmDown", "node": "beta"}),
    (["maintenance"], {"do": "maintenance"}),
    (["maintenance", "group", "web"], {"do": "maintenance", "group": "web"}),
    (["maintenance", "node", "beta"], {"do": "maintenance", "node": "beta"}),
    (["resume"], {"do": "resume"}),
    (["resume", "group", "web"], {"do": "resume", "group": "web"}),
])
def test_operations(engine, arguments, sent):
    done = ask(engine, *arguments, "--reason", "kernel update",
               env=environment(SUDO_USER="ann"))
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"%s.* succeeded in \d+ ms: asked by ann\n" % sent["do"], done.stdout)
    assert engine.last(sent["do"]) == dict(sent, by="ann", reason="kernel update")


def test_who_vouches_and_where_it_is_written_down(engine):
    done = ask(engine, "confirm-down", "beta", "--by", "Zhang Wei", "--ticket", "4711",
               "--reason", "power is off", env=environment(SUDO_USER="ann"))
    assert done.returncode == 0, done.stderr
    assert engine.last("confirmDown") == {"do": "confirmDown", "node": "beta", "by": "Zhang Wei",
                                          "reason": "ticket 4711: power is off"}
    ask(engine, "confirm-down", "beta", "--ticket", "12")
    assert engine.last("confirmDown")["reason"] == "ticket 12"


def test_operation_by_the_login_name(engine):
    ask(engine, "standby")
    assert engine.last("standby")["by"] not in ("", None)


def test_operation_fails(engine):
    engine.outcome = "failed"
    done = ask(engine, "switch", "web", "beta")
    assert done.returncode == 1 and done.stdout == ""
    assert re.fullmatch(r"yoke: switch web to beta failed after \d+ ms: asked by ann\n",
                        done.stderr)


def test_operation_ends_later(engine):
    engine.outcome = None
    with Running("switch", "web", "beta", "--socket", engine.path) as switch:
        engine.wait_request("pull")
        engine.emit("operation_succeeded", "", value=(1 << 24) + 1)
        assert switch.line().startswith("switch web to beta succeeded")
        assert switch.child.wait(BOUND_S) == 0


def test_operation_of_somebody_else_is_not_ours(engine):
    engine.outcome = None
    with Running("switch", "web", "beta", "--socket", engine.path) as switch:
        engine.wait_request("pull")
        engine.emit("operation_succeeded", "", value=5)
        engine.wait_request("pull", 3)
        engine.emit("operation_failed", "", value=(1 << 24) + 1)
        assert "failed after" in switch.line("stderr")
        assert switch.child.wait(BOUND_S) == 1


def test_operation_times_out(engine):
    engine.outcome = None
    done = ask(engine, "switch", "web", "beta", "--timeout", "1")
    assert done.returncode == 4 and "no outcome" in done.stderr


def test_no_wait(engine):
    engine.outcome = None
    done = ask(engine, "switch", "web", "beta", "--no-wait")
    assert done.returncode == 0 and done.stdout.endswith("operation 16777217 was started\n")


def test_operation_json(engine):
    done = ask(engine, "switch", "web", "beta", "--json")
    assert done.returncode == 0 and json.loads(done.stdout) == {"ok": True, "operation": 16777217}
    engine.override["switch"] = b'{"ok":false,"error":"busy","advice":"wait"}\n'
    done = ask(engine, "switch", "web", "beta", "--json")
    assert done.returncode == 1 and json.loads(done.stdout)["error"] == "busy"


@pytest.mark.parametrize("error,hint", [("denied", "root"), ("no-such-group", "'web'"),
                                        ("no-such-node", "'beta'"), ("not-ready", "yoke status"),
                                        ("a-new-one", "bad-request")])
def test_refusals(engine, error, hint):
    engine.override["switch"] = json.dumps({"ok": False, "error": error}).encode() + b"\n"
    done = ask(engine, "switch", "webb", "betaa")
    assert done.returncode == 1 and hint in done.stderr and done.stdout == ""


def test_engine_restarts_during_an_operation(engine):
    engine.outcome = None
    with Running("switch", "web", "beta", "--socket", engine.path) as switch:
        engine.wait_request("pull")
        engine.close()
        engine.snapshot["operations"] = []
        engine.restart()
        assert "was restarted" in switch.line("stderr")
        assert switch.child.wait(BOUND_S) == 1


# ---- engines that are away or misbehave

ASKING = [["status"], ["history"], ["watch"], ["switch", "web", "beta"], ["failback"], ["standby"],
          ["online"]]


@pytest.mark.parametrize("arguments", ASKING, ids=lambda a: a[0])
def test_no_engine(place, arguments):
    done = yoke(*arguments, "--socket", str(place / "none"))
    assert done.returncode == 3 and "systemctl start yoked" in done.stderr and done.stdout == ""


def test_nobody_listens(engine):
    engine.close()
    done = ask(engine, "status")
    assert done.returncode == 3 and "nobody answers" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_no_permission(place, engine):
    program = place / "yoke"
    shutil.copy(YOKE, program)
    done = subprocess.run([program, "status", "--socket", engine.path], capture_output=True,
                          text=True, timeout=BOUND_S, user=65534, group=65534, extra_groups=[],
                          check=False)
    assert done.returncode == 3 and "no permission" in done.stderr and "root" in done.stderr


@pytest.mark.parametrize("arguments", ASKING, ids=lambda a: a[0])
def test_silent_engine(engine, arguments):
    engine.override = {do: b"" for do in ("status", "switch")}
    done = ask(engine, *arguments, "--timeout", "1")
    assert done.returncode == 4 and "did not answer" in done.stderr


def test_engine_that_does_not_accept(place):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(place / "s"))
        server.listen(0)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as first:
            first.connect(str(place / "s"))
            done = yoke("status", "--timeout", "1", "--socket", str(place / "s"))
    assert done.returncode == 3 and "cannot connect" in done.stderr


def close_at_once(client):
    client.shutdown(socket.SHUT_RDWR)


def half_a_line(client):
    client.sendall(b'{"ok":true,"snapshot":{"nodes":[{"name":')
    client.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("misbehaviour", [close_at_once, half_a_line])
def test_engine_that_goes_away(engine, misbehaviour):
    engine.override["status"] = misbehaviour
    done = ask(engine, "status")
    assert done.returncode == 3 and "closed the connection" in done.stderr


@pytest.mark.parametrize("answer", [
    b"hello\n", b"\n", b"{}\n", b"[]\n", b'{"ok":7}\n', b"\xff\xfe\n", b'{"ok":true,"a":"\x00"}\n',
    b'{"ok":true,"snapshot":{"nodes":[7]}}\n', b'{"ok":true,"snapshot":{"self":3}}\n',
    b"[" * 5000 + b"\n", b'{"ok":true}\n', b"x" * TOO_LONG, b"x" * TOO_LONG + b"\n",
], ids=lambda a: repr(a[:24]))
def test_garbage(engine, answer):
    engine.override["status"] = answer
    done = ask(engine, "status")
    assert done.returncode == 1 and done.stderr.startswith("yoke: ") and done.stdout == ""
    assert done.stderr.count("\n") == 1 and done.stderr.isascii()


def test_half_a_line_and_silence(engine):
    engine.override["status"] = b'{"ok":true,"snap'
    done = ask(engine, "status", "--timeout", "1")
    assert done.returncode == 4


def test_kicks_before_the_answer_are_passed_over(engine):
    line = json.dumps({"ok": True, "snapshot": snapshot()}).encode() + b"\n"
    engine.override["status"] = b'{"kick":1}\n{"kick":2}\n' + line
    assert ask(engine, "status").returncode == 0


def test_control_characters_never_reach_the_terminal(engine):
    engine.snapshot["text"] = "x\033[2Jy\u009bz"
    engine.add("path_up", "\033]0;title\007")
    assert "\033" not in ask(engine, "status").stdout


def test_standard_output_that_is_full(engine):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([YOKE, "status", "--socket", engine.path], stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=BOUND_S, check=False)
    assert done.returncode == 1 and "cannot write" in done.stderr


# ---- check and key

SAMPLES = TOP / "conf" / "sample"


def test_check_says_what_the_cluster_will_do():
    done = yoke("check", str(SAMPLES / "yoke.conf"))
    assert done.returncode == 0 and done.stderr == ""
    assert "no errors" in done.stdout and "cluster demo" in done.stdout
    assert columns(done.stdout, "NODE")[1] == [
        "beta", "10.1.0.2:4747 on eth1", "[fd00:2::2]:4747 on eth2"]
    assert "at most 1000 ms after its last heartbeat" in done.stdout
    assert "web-address: 192.0.2.10/24 on eth0" in done.stdout


def test_check_reports_all_problems_with_lines(place):
    file = place / "yoke.conf"
    file.write_text('cluster = "shop"\nsnow = 1\ndead_ms = 3\n')
    done = yoke("check", str(file))
    assert done.returncode == 1
    errors = re.findall(r"^%s:(\d+): error: \S" % re.escape(str(file)), done.stdout, re.M)
    assert "2" in errors and "3" in errors
    assert "will not start" in done.stdout


def test_check_without_a_file(place):
    done = yoke("check", str(place / "none"))
    assert done.returncode == 1 and "error" in done.stdout


def test_key_generate(place):
    file = place / "key"
    assert yoke("key", "generate", str(file)).returncode == 0
    first = file.read_text()
    assert re.fullmatch(r"1 [0-9a-f]{64} \d{4}-\d\d-\d\d\n", first)
    assert file.stat().st_mode & 0o777 == 0o600
    done = yoke("key", "generate", str(file))
    assert done.returncode == 1 and file.read_text() == first
    assert yoke("key", "generate", "--force", str(file)).returncode == 0
    assert file.read_text() != first


def key(place, *arguments):
    return yoke("key", "--socket", str(place / "nobody"), *arguments)


def test_key_list_rotate_and_retire_without_an_engine(place):
    file = place / "key"
    assert yoke("key", "generate", str(file)).returncode == 0
    done = key(place, "list", str(file))
    assert re.fullmatch(r"key 1, made \d{4}-\d\d-\d\d, 0 days old\n", done.stdout), done.stdout
    one = file.read_text()
    done = key(place, "retire", str(file))
    assert done.returncode == 1 and "there is one key only" in done.stderr

    done = key(place, "rotate", str(file))
    assert done.returncode == 0 and "no yoked runs here" in done.stdout
    two = file.read_text()
    assert re.fullmatch(re.escape(one) + r"2 [0-9a-f]{64} \S+\n", two)
    assert file.stat().st_mode & 0o777 == 0o600
    assert key(place, "list", str(file)).stdout.count("days old") == 2
    for secret in re.findall("[0-9a-f]{64}", two):
        assert secret not in key(place, "list", str(file)).stdout
    done = key(place, "rotate", str(file))
    assert done.returncode == 1 and "there are 2 keys already" in done.stderr

    done = key(place, "retire", str(file))
    assert done.returncode == 3 and "--force" in done.stderr and file.read_text() == two
    assert key(place, "retire", "--force", str(file)).returncode == 0
    assert file.read_text() == two.splitlines(keepends=True)[1]


def test_key_of_one_line_of_digits_is_number_one(place):
    file = place / "key"
    file.touch(0o600)
    file.write_text("0123456789abcdef" * 4 + "\n")
    assert key(place, "list", str(file)).stdout == "key 1\n"
    assert key(place, "rotate", str(file)).returncode == 0
    assert file.read_text().startswith("1 " + "0123456789abcdef" * 4 + "\n2 ")


@pytest.mark.parametrize("keys, why", [
    ([{"id": 1, "seals": True}], "does not use key 2 yet"),
    ([{"id": 1, "seals": True}, {"id": 2}], "has not shown that it has key 2"),
    ([{"id": 1, "opens": True}, {"id": 2, "shown": True}], "key 1 still seals frames"),
    ([{"id": 1, "arbiters": True}, {"id": 2, "shown": True}], "still goes by key 1"),
])
def test_key_that_is_needed_is_not_retired(place, engine, keys, why):
    file = place / "key"
    assert yoke("key", "generate", str(file)).returncode == 0
    assert key(place, "rotate", str(file)).returncode == 0
    before = file.read_text()
    engine.snapshot["keys"] = keys
    done = yoke("key", "--socket", engine.path, "retire", str(file))
    assert done.returncode == 1 and why in done.stderr, done.stderr
    assert file.read_text() == before


# ---- completion

COMPLETION = TOP / "tools" / "completion" / "yoke.bash"


def complete(words, path, place):
    """What bash would offer for the last word."""
    if not (place / "yoke").exists():
        (place / "yoke").symlink_to(YOKE)
    script = (f'source "{COMPLETION}"; COMP_WORDS=({" ".join(repr(w) for w in words)}); '
              f'COMP_CWORD={len(words) - 1}; _yoke; printf "%s\\n" "${{COMPREPLY[@]}}"')
    variables = environment(YOKE_SOCKET=path)
    variables["PATH"] = f"{place}:{variables['PATH']}"
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True,
                          timeout=BOUND_S, check=True, env=variables)
    assert done.stderr == ""
    return sorted(done.stdout.split())


def test_completion_syntax():
    subprocess.run(["bash", "-n", COMPLETION], check=True)


def test_completion(place, engine):
    assert complete(["yoke", "st"], engine.path, place) == ["standby", "status"]
    assert complete(["yoke", ""], engine.path, place) == sorted(VERBS)
    assert complete(["yoke", "switch", ""], engine.path, place) == ["web"]
    assert complete(["yoke", "switch", "web", ""], engine.path, place) == ["alpha", "beta"]
    assert complete(["yoke", "standby", "b"], engine.path, place) == ["beta"]
    assert complete(["yoke", "maintenance", ""], engine.path, place) == ["group", "node"]
    assert complete(["yoke", "maintenance", "group", ""], engine.path, place) == ["web"]
    assert complete(["yoke", "resume", "node", ""], engine.path, place) == ["alpha", "beta"]
    assert complete(["yoke", "failback", ""], engine.path, place) == ["web"]
    assert "--json" in complete(["yoke", "status", "--"], engine.path, place)
    assert complete(["yoke", "key", ""], engine.path, place) == [
        "generate", "list", "reload", "retire", "rotate"]


def test_completion_offers_every_option_of_every_verb(place, engine):
    for verb in VERBS:
        options = set(re.findall(r"^  (--[a-z-]+)", yoke(verb, "--help").stdout, re.M))
        assert set(complete(["yoke", verb, "--"], engine.path, place)) == options, verb


def test_completion_without_an_engine(place):
    assert complete(["yoke", "switch", ""], str(place / "none"), place) == []
