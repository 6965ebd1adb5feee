"""A service that is a program with start, stop and status: run by the keeper, and looked after."""

import os
import pathlib
import re
import signal
import time

import pytest

from lab import SERVICE, now, wait_until

SCRIPT = r"""#!/bin/sh
# What the tests want of this service is told by files beside it.
here=$(dirname "$0")
mine="$here/$YOKE_NODE"
address=$(ip -o address show | grep -c ' @SERVICE@/')
echo "$1 $address" >>"$mine.calls"
alive() { [ -s "$mine.pid" ] && kill -0 "$(cat "$mine.pid")" 2>/dev/null; }
[ -e "$mine.hang-$1" ] && { sleep 4711 & echo $! >"$mine.hung"; trap '' TERM; wait; sleep 4711; }
[ -e "$mine.fail-$1" ] && { echo "one line"; echo "no room at the $1" >&2; exit 1; }
case $1 in
start)
    env >"$mine.env"
    alive && exit 0
    # A daemon that keeps the pipe, and writes to it.
    sh -c 'while :; do echo tick; sleep 0.1; done' &
    echo $! >"$mine.pid"
    ;;
stop)
    alive || exit 0
    kill "$(cat "$mine.pid")"
    rm -f "$mine.pid"
    ;;
status)
    alive || exit 3
    ;;
esac
"""

# A Nagios plugin: 0, 1, 2 and 3 are OK, WARNING, CRITICAL and UNKNOWN; 0 for what is started anew.
PLUGIN = r"""#!/bin/sh
mine="$(dirname "$0")/$YOKE_NODE"
read -r code pid <"$mine.wanted"
[ "$pid" = "$(cat "$mine.pid")" ] || code=0
echo "$code" >>"$mine.told"
echo "the plugin says $code|$1=$code"
exit "$code"
"""

GROUP = """group "web" {{
  exclusive = {exclusive}
  nodes = {{ "alpha", "beta" }}
  resource "vip" {{
    type = address
    address = "{address}/24"
    interface = "pub"
  }}
  resource "service" {{
    type = script
    program = "{program}"
    start_timeout_ms = 1500
    stop_timeout_ms = {stop_ms}
    monitor_timeout_ms = 30000
    monitor_interval_ms = 200
    monitor_failures = 2
    restarts = 2
  }}
}}
"""


class Service:
    """The program, and what became of it on each node."""

    def __init__(self, lab):
        self.lab = lab
        self.dir = lab.dir / "service"
        self.dir.mkdir(exist_ok=True)
        self.dir.chmod(0o755)
        self.program = self.dir / "service"
        self.program.write_text(SCRIPT.replace("@SERVICE@", SERVICE))
        self.program.chmod(0o755)

    def group(self, exclusive="no", stop_ms=5000):
        return GROUP.format(address=SERVICE, program=self.program, exclusive=exclusive,
                            stop_ms=stop_ms)

    def file(self, node, what):
        return self.dir / f"{node.name}.{what}"

    def wish(self, node, what):
        self.file(node, what).touch()

    def forget_wishes(self):
        """And what became of them."""
        for node in self.lab.pair:
            for what in ("fail-*", "hang-*", "hung"):
                for file in self.dir.glob(f"{node.name}.{what}"):
                    file.unlink()

    def calls(self, node, action):
        """How often it was called so; each with the number of service addresses at that time."""
        file = self.file(node, "calls")
        words = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        return [int(count) for word, count in words if word == action]

    def pid(self, node):
        """The daemon's process number while it lives."""
        try:
            pid = int(self.file(node, "pid").read_text())
        except (OSError, ValueError):
            return None
        return pid if is_alive(pid) else None


def stat(pid):
    """What follows the name: state, parent, process group, session..."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def is_alive(pid):
    try:
        return stat(pid)[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def service(world, lab):
    made = Service(lab)
    made.forget_wishes()
    yield made
    made.forget_wishes()
    for node in lab.pair:
        if world.cluster and world.cluster[node].is_running():
            world.cluster[node].order("online", node=node.name)


@pytest.fixture
def cluster(world, service):
    ready = world.ready(snmp=False, groups=service.group(), more="  retry_ms = 2000\n")
    wait_until(lambda: service.pid(world.lab.alpha), 5, "the service runs on alpha")
    return ready


def resource(yoke, name="service"):
    return next(r for r in yoke.status()["resources"] if r["name"] == name)


def test_started_in_order_on_one_node(lab, cluster, service):
    assert service.calls(lab.alpha, "start")[-1] == 1, "started before its address"
    assert not service.pid(lab.beta)
    names = {line.split("=")[0]: line.rstrip("\n").split("=", 1)[1]
             for line in service.file(lab.alpha, "env").read_text().splitlines()}
    assert {name for name in names if name not in ("PWD", "OLDPWD", "SHLVL", "_")} == {
        "PATH", "LANG", "YOKE_GROUP", "YOKE_RESOURCE", "YOKE_NODE", "YOKE_ACTION"}
    assert (names["YOKE_GROUP"], names["YOKE_RESOURCE"], names["YOKE_ACTION"], names["PWD"]) == (
        "web", "service", "start", "/")
    assert resource(cluster.alpha)["text"] == str(service.program)[:63]
    pid = service.pid(lab.alpha)
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    ignored = int(re.search(r"SigIgn:\t(\w+)", status)[1], 16)
    assert "SigBlk:\t0000000000000000" in status
    # 2 and 3: sh, for what it runs in the background.  32 and 33: the C library's own; its
    # posix_spawn() (make, for one) ignores them for all descendants.
    assert ignored & ~0b110 & ~(0b11 << 31) == 0
    assert sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2"]
    assert os.sched_getscheduler(pid) == os.SCHED_OTHER
    assert pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text() == "0\n"


def test_engine_killed(lab, cluster, service):
    """The service is taken over as it runs."""
    pid, starts = service.pid(lab.alpha), len(service.calls(lab.alpha, "start"))
    for _ in range(3):
        old = cluster.alpha.engine()
        os.kill(old, signal.SIGKILL)
        wait_until(lambda was=old: cluster.alpha.engine() not in (None, was), 5, "another engine")
        cluster.settle(lab.alpha)
    assert service.pid(lab.alpha) == pid
    assert len(service.calls(lab.alpha, "start")) == starts
    assert not service.pid(lab.beta)


def test_keeper_killed(lab, cluster, service):
    """Nothing of the service is yoke's: it goes on, and the next keeper finds it.  So does what it
    writes to, or it would die of that."""
    pid, starts = service.pid(lab.alpha), len(service.calls(lab.alpha, "start"))
    os.kill(cluster.alpha.pids("keeper")[0], signal.SIGKILL)
    wait_until(lambda: not cluster.alpha.pids(), 5, "all of yoke on alpha has ended")
    cluster.alpha.start()
    cluster.settle(lab.alpha)
    assert service.pid(lab.alpha) == pid and not service.pid(lab.beta)
    assert len(service.calls(lab.alpha, "start")) == starts


def test_engine_killed_while_it_starts(lab, cluster, service):
    """A job outlives the engine that asked for it; the next one is told what came of it."""
    service.wish(lab.beta, "hang-start")
    before = cluster.beta.last_event()
    cluster.alpha.order("switch", group="web", node="beta")
    wait_until(service.file(lab.beta, "hung").exists, 5, "the start hangs on beta")
    hung = int(service.file(lab.beta, "hung").read_text())
    os.kill(cluster.beta.engine(), signal.SIGKILL)
    service.forget_wishes()
    assert is_alive(hung)
    wait_until(lambda: not is_alive(hung), 6, "its time is over all the same")
    told = wait_until(lambda: cluster.beta.has_event("resource_failed", before), 5, "it is told")
    assert told["reason"].startswith("timed out after"), told
    cluster.settle()
    assert len([node for node in lab.pair if service.pid(node)]) == 1


def test_switchover(lab, cluster, service):
    since = len(service.calls(lab.alpha, "stop"))
    cluster.switch(lab.beta)
    assert service.pid(lab.beta) and not service.pid(lab.alpha)
    assert service.calls(lab.alpha, "stop")[since:] == [1], "stopped once, before its address"
    assert service.calls(lab.beta, "start")[-1] == 1
    cluster.switch(lab.alpha)
    assert service.pid(lab.alpha) and not service.pid(lab.beta)


def test_start_that_fails(lab, cluster, service):
    service.wish(lab.beta, "fail-start")
    before = cluster.beta.last_event()
    cluster.alpha.order("switch", group="web", node="beta")
    wait_until(lambda: resource(cluster.beta)["reason"] == "no room at the start", 10,
               "the last line of its output is the reason")
    assert cluster.beta.has_event("resource_failed", before)
    wait_until(lambda: service.pid(lab.alpha), 10, "it runs on alpha again")
    assert not service.pid(lab.beta)


def test_start_that_hangs(lab, cluster, service):
    service.wish(lab.beta, "hang-start")
    since = now()
    cluster.alpha.order("switch", group="web", node="beta")
    wait_until(service.file(lab.beta, "hung").exists, 5, "the start hangs on beta")
    hung = int(service.file(lab.beta, "hung").read_text())
    wait_until(lambda: resource(cluster.beta)["reason"].startswith("timed out after 1500 ms"), 10,
               "the reason")
    wait_until(lambda: not is_alive(hung), 2, "the whole process group is gone")
    assert 1.5 < now() - since < 8
    wait_until(lambda: service.pid(lab.alpha), 10, "it runs on alpha again")


def test_stop_does_not_wait_for_a_monitor(lab, cluster, service):
    """The status hangs for 30 s; the group is moved at once all the same."""
    service.wish(lab.alpha, "hang-status")
    wait_until(service.file(lab.alpha, "hung").exists, 5, "the status hangs on alpha")
    hung = int(service.file(lab.alpha, "hung").read_text())
    since = now()
    cluster.alpha.order("switch", group="web", node="beta")
    wait_until(lambda: service.pid(lab.beta), 5, "the service runs on beta")
    assert now() - since < 2 and not service.pid(lab.alpha)
    wait_until(lambda: not is_alive(hung), 2, "the monitor was killed for the stop")


def test_what_a_start_leaves_is_the_keepers(lab, cluster, service):
    """Who started the daemon has ended; nobody else would know when it ends, or bury it."""
    pid, keeper = service.pid(lab.alpha), cluster.alpha.pids("keeper")[0]
    assert int(stat(pid)[1]) == keeper
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), 5, "it is buried")
    wait_until(lambda: service.pid(lab.alpha), 5, "it is started again")
    assert int(stat(service.pid(lab.alpha))[1]) == keeper


def test_killed_service_is_restarted_here(lab, cluster, service):
    before = cluster.alpha.last_event()
    pid = service.pid(lab.alpha)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: service.pid(lab.alpha) not in (None, pid), 5, "it is started again")
    cluster.settle(lab.alpha)
    assert not service.pid(lab.beta)
    assert cluster.alpha.has_event("group_restarting", before)


def test_service_that_dies_again_and_again_moves(lab, cluster, service):
    """Two restarts are allowed; the next failure moves the group."""
    until = time.monotonic() + 20
    while not service.pid(lab.beta) and time.monotonic() < until:
        pid = service.pid(lab.alpha)
        if pid:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    assert service.pid(lab.beta)
    cluster.settle(lab.beta)


def test_program_that_is_gone_is_told_while_all_is_well(world, lab, service):
    """Both nodes have the same file system: what runs goes on, and the other is not ready."""
    starter = service.dir / "starter"
    starter.unlink(missing_ok=True)
    starter.symlink_to(service.program)
    group = service.group().replace('    program =', f'    start = {{ "{starter}", "start" }}\n'
                                    '    program =')
    cluster = world.ready(snmp=False, groups=group)
    wait_until(lambda: service.pid(lab.alpha), 5, "the service runs on alpha")
    before = {node.name: cluster[node].last_event() for node in lab.pair}
    starts = len(service.calls(lab.alpha, "start"))
    starter.unlink()
    for node in lab.pair:
        wait_until(lambda at=node: cluster[at].has_event("resource_unusable", before[at.name]), 20,
                   f"{node.name} says that it could not be started")
    assert resource(cluster.beta)["reason"] == f"{starter} cannot be run: No such file or directory"
    wait_until(lambda: cluster.alpha.has_event("not_ready", before["alpha"]), 20, "it is an alarm")
    assert lab.owner() is lab.alpha and service.pid(lab.alpha)
    # A new engine is told, too, and finds it running all the same.
    old, before = cluster.alpha.engine(), cluster.alpha.last_event()
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: cluster.alpha.engine() not in (None, old), 5, "another engine")
    wait_until(lambda: cluster.alpha.has_event("resource_unusable", before), 20, "it is told")
    assert len(service.calls(lab.alpha, "start")) == starts
    starter.symlink_to(service.program)
    for node in lab.pair:
        wait_until(lambda at=node: resource(cluster[at])["usable"], 20, f"{node.name} is ready")
    cluster.switch(lab.beta)


def test_leave_stops_it(world, lab, cluster, service):
    cluster.alpha.leave()
    wait_until(lambda: service.pid(lab.beta), 5, "it runs on beta")
    assert not service.pid(lab.alpha)
    cluster.alpha.start()
    cluster.settle(lab.beta)


def test_monitor_that_is_a_nagios_plugin(world, lab, service):
    """A warning is well; critical and unknown are not, and are a failure when they last."""
    plugin = service.dir / "plugin"
    plugin.write_text(PLUGIN)
    plugin.chmod(0o755)
    wanted, told = service.file(lab.alpha, "wanted"), service.file(lab.alpha, "told")
    for node in lab.pair:
        service.file(node, "wanted").write_text("0 0\n")
    groups = service.group().replace("    restarts = 2\n",
                                     f'    restarts = 2\n    monitor = {{ "{plugin}", "load" }}\n')
    alpha = world.ready(snmp=False, groups=groups).alpha
    for code, is_well in ((1, True), (2, False), (3, False)):
        pid, before = service.pid(lab.alpha), alpha.last_event()
        wanted.with_suffix(".new").write_text(f"{code} {pid}\n")
        wanted.with_suffix(".new").rename(wanted)
        if is_well:
            wait_until(lambda n=code: told.read_text().split()[-8:] == [str(n)] * 8, 10, "8 looks")
            assert service.pid(lab.alpha) == pid and alpha.last_event() == before
        else:
            wait_until(lambda old=pid: service.pid(lab.alpha) not in (None, old), 10, "a restart")
            assert told.read_text().split().count(str(code)) == 2, "not at once"
            event = alpha.has_event("resource_failed", before)
            assert f"the plugin says {code}|load={code}" in event["text"], event
    assert not service.pid(lab.beta)
