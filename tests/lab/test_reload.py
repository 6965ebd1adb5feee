"""The configuration is read again on a running pair, and configurations that differ in parts."""

import os
import shutil
import signal

import pytest
from arbiters import GROUP, Watchdog, Witness, more
from lab import SERVICE, now, wait_until
from web import Web

EXTRA = "10.9.0.150"
MORE = "10.9.0.151"


def resources(addresses):
    return "".join(f'  resource "{a}" {{\n    type = address\n    address = "{a}/24"\n'
                   '    interface = "pub"\n  }\n' for a in addresses)


def extra(addresses=(EXTRA,), name="extra"):
    return (f'group "{name}" {{\n  exclusive = no\n  nodes = {{ "alpha", "beta" }}\n'
            f'{resources(addresses)}}}\n')


@pytest.fixture
def pair(world, lab):
    """A web server on alpha; the configuration is another one afterwards."""
    web = Web(lab)
    world.stop()
    cluster = world.ready(snmp=False, groups=web.group(SERVICE))
    wait_until(lambda: web.pid(lab.alpha), 5, "the server runs on alpha")
    cluster.web = web
    yield cluster
    world.stop()


def reload(yoke, *arguments):
    """The verb; returns when it has said that it is done."""
    done = yoke.cli("reload", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def reload_both(cluster, groups, *arguments):
    """beta first, which runs nothing; returns what alpha's said."""
    for yoke in (cluster.beta, cluster.alpha):
        yoke.write_config(groups=cluster.web.group(SERVICE) + groups)
        said = reload(yoke, *arguments)
    return said


def bring(cluster, groups):
    """A group comes, and runs on alpha in the end.  beta, which has it first, may have begun, and
    both may for a moment: it is not exclusive."""
    def owner():
        """Once nobody starts or stops it any more, as both say."""
        told = [yoke.status() for yoke in (cluster.alpha, cluster.beta)]
        owners = {g["owner"] for status in told for g in status["groups"][1:]}
        states = [sorted(m["state"] for m in status["members"] if m["group"] == 2)
                  for status in told]
        return states == [["started", "stopped"]] * 2 and len(owners) == 1 and owners.pop()
    reload_both(cluster, groups)
    if wait_until(owner, 10, "one runs it, as both say") != 1:
        done = cluster.alpha.cli("switch", "extra", "alpha")
        assert done.returncode == 0, done.stdout + done.stderr
    wait_until(lambda: owner() == 1, 10, "it runs on alpha")


def quiet(cluster, before, *more):
    for name, yoke in cluster.by_name.items():
        for kind in ("node_lost", "group_held", "node_left", "resource_failed", *more):
            assert not yoke.has_event(kind, before[name]), f"{kind} on {name}"


def test_what_stays_is_not_touched(lab, pair, owners, client):
    """A group comes, gets a resource more, loses it again, and goes; the web server's client and
    the other node notice nothing."""
    asked = client()
    since, server = now(), pair.web.pid(lab.alpha)
    before = {name: yoke.last_event() for name, yoke in pair.by_name.items()}
    keeper = pair.alpha.process.pid
    bring(pair, extra())
    assert "new resources are started" in reload_both(pair, extra((EXTRA, MORE)))
    wait_until(lambda: lab.alpha.has(MORE), 5, "what was added is started")
    said = pair.alpha.last_event()
    refused = pair.alpha.cli("reload")
    assert refused.returncode == 0  # the same file again
    reload_both(pair, extra((EXTRA,)), "--yes")
    assert not lab.alpha.has(MORE) and lab.alpha.has(EXTRA)
    assert not pair.alpha.has_event("group_stopping", said)
    reload_both(pair, "", "--yes")
    assert not lab.alpha.has(EXTRA) and not lab.beta.has(EXTRA)
    pair.settle(lab.alpha)
    assert pair.web.pid(lab.alpha) == server and pair.alpha.process.pid == keeper
    print(f"{len(asked.requests(since))} requests, the slowest took "
          f"{max(row[1] for row in asked.requests(since)) * 1000:.1f} ms")
    assert asked.lost(since) == []
    assert owners.takeovers(since) == 0 and owners.both_ms(since) == 0
    quiet(pair, before, "path_down")
    assert pair.alpha.has_event("config_taken", before["alpha"])


def reload_paths(cluster, links, multicast=()):
    """beta first; in the end every path is up on both."""
    for yoke in (cluster.beta, cluster.alpha):
        yoke.write_config(links=links, multicast=multicast)
        reload(yoke)
    for name, yoke in cluster.by_name.items():
        wait_until(lambda at=yoke: [(p["name"], p["state"], p["multicast"] != "") for p in
                                    at.status()["paths"]]
                   == [(link, "up", link in multicast) for link in links], 10,
                   f"{name}: {', '.join(links)} and no other path is up")


def test_paths_come_and_go_and_the_groups_are_not_touched(lab, pair, owners, client):
    """Also one in the middle, which gives those after it another number, and one that goes over
    multicast from then on."""
    asked = client()
    since, server = now(), pair.web.pid(lab.alpha)
    before = {name: yoke.last_event() for name, yoke in pair.by_name.items()}
    reload_paths(pair, ("red", "blue", "pub"))
    reload_paths(pair, ("red", "pub"))
    reload_paths(pair, ("red", "pub"), multicast=("red",))
    reload_paths(pair, ("red",), multicast=("red",))
    reload_paths(pair, ("red", "blue"), multicast=("red",))
    pair.settle(lab.alpha)
    assert pair.web.pid(lab.alpha) == server
    assert asked.lost(since) == []
    assert owners.takeovers(since) == 0 and owners.both_ms(since) == 0
    quiet(pair, before, "group_stopping")


@pytest.mark.parametrize("changes", [
    {"multicast": ("red", "blue")}, {"links": ("blue",)},
], ids=["multicast", "the first goes"])
def test_every_path_at_once_is_refused(lab, pair, changes):
    """The nodes would hear each other no more."""
    engine = pair.beta.engine()
    pair.beta.write_config(**changes)
    done = pair.beta.cli("reload")
    assert done.returncode == 1 and "every path at once (change one after" in done.stderr
    assert "nothing was changed" in done.stderr
    assert pair.beta.engine() == engine


def test_the_only_path_that_works_may_not_get_another_number(lab, pair):
    reload_paths(pair, ("red", "blue", "pub"))
    lab.split(["red"])
    for yoke in pair.by_name.values():
        wait_until(lambda at=yoke: at.path("red")["state"] == "down", 5, "red is cut")
    engine = pair.beta.engine()
    pair.beta.write_config(links=("red", "pub"))
    done = pair.beta.cli("reload")
    assert done.returncode == 1 and "no path that stays as it is works now" in done.stderr
    assert pair.beta.engine() == engine


def test_an_exclusive_group_keeps_lease_and_watchdog(world, lab, owners):
    """It gets an address more where it runs: nobody is reset, and nothing moves."""
    world.stop()
    dogs = [Watchdog(node) for node in lab.pair]
    try:
        witness = Witness.text(lab)
        cluster = world.ready(snmp=False, groups=GROUP + witness, more=more())
        runs = Witness(cluster)
        for yoke in cluster.by_name.values():
            wait_until(lambda at=yoke: at.status()["arbiters"][0]["state"] == "ready", 10,
                       "the witness answers")
        since, before = now(), cluster.alpha.last_event()
        grown = GROUP.removesuffix("}\n") + resources((MORE,)) + "}\n"
        for yoke in (cluster.beta, cluster.alpha):
            yoke.write_config(groups=grown + witness)
            reload(yoke)
        wait_until(lambda: lab.alpha.has(MORE), 5, "what was added is started")
        cluster.settle(lab.alpha)
        assert owners.takeovers(since) == 0 and owners.both_ms(since) == 0
        assert not cluster.alpha.has_event("group_stopping", before)
        assert [dog.fired for dog in dogs] == [0, 0] and all(dog.armed for dog in dogs)
    finally:
        world.stop()
        runs.stop()
        for dog in dogs:
            dog.close()


def test_a_group_that_one_node_drops_goes_to_the_other(lab, pair):
    bring(pair, extra())
    pair.alpha.write_config(groups=pair.web.group(SERVICE))
    assert "goes to the other node" in reload(pair.alpha, "--yes")
    wait_until(lambda: lab.beta.has(EXTRA), 5, "beta, which has it still, runs it")
    assert not lab.alpha.has(EXTRA)
    replayed = pair.alpha.cli("replay", str(pair.alpha.run_dir / "recorder"))
    assert replayed.returncode == 0, replayed.stderr
    assert "stop what another configuration does not have" in replayed.stdout


PATIENT = r"""#!/bin/sh
here=$(dirname "$0")/$YOKE_NODE
wait_for_it() { touch "$here.$1"; until [ -e "$here.go" ]; do sleep 0.02; done; }
case $1 in
start) wait_for_it starts; touch "$here.runs" ;;
stop) [ -e "$here.runs" ] && wait_for_it stops; rm -f "$here.runs" ;;
status) [ -e "$here.runs" ] || exit 3 ;;
esac
"""


class Patient:
    """A script resource whose start and stop take until go()."""

    def __init__(self, lab):
        self.dir = lab.dir / "patient"
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir()
        self.program = self.dir / "patient"
        self.program.write_text(PATIENT)
        self.program.chmod(0o755)

    def resource(self):
        return (f'  resource "patient" {{\n    type = script\n    program = "{self.program}"\n'
                '    start_timeout_ms = 60000\n    stop_timeout_ms = 60000\n  }\n')

    def has(self, node, what):
        return (self.dir / f"{node.name}.{what}").exists()

    def go(self, node):
        (self.dir / f"{node.name}.go").touch()

    def wait(self, node):
        (self.dir / f"{node.name}.go").unlink()


def with_patient(patient, addresses=(EXTRA,)):
    return extra(addresses).removesuffix("}\n") + patient.resource() + "}\n"


def test_what_is_still_to_be_started_is_not_forgotten(lab, pair):
    """The engine dies meanwhile: the next one does not stop the group for it."""
    patient = Patient(lab)
    bring(pair, extra())
    before = pair.alpha.last_event()
    reload_both(pair, with_patient(patient).removesuffix("}\n") + resources((MORE,)) + "}\n")
    wait_until(lambda: patient.has(lab.alpha, "starts"), 5, "the start is under way")
    engine = pair.alpha.engine()
    os.kill(engine, signal.SIGKILL)
    wait_until(lambda: pair.alpha.engine() not in (None, engine), 5, "another engine runs")
    patient.go(lab.alpha)
    wait_until(lambda: patient.has(lab.alpha, "runs") and lab.alpha.has(MORE), 20,
               "what was added runs")
    wait_until(lambda: pair.alpha.group("extra")["state"] == "started", 5, "and the group")
    assert not pair.alpha.has_event("group_stopping", before) and lab.alpha.has(EXTRA)
    assert not patient.has(lab.beta, "starts")


@pytest.mark.parametrize("how", ["engine dies", "program is broken"])
def test_what_was_retired_for_nothing_comes_back(lab, pair, how):
    """What was stopped already is started again, and the others of its group are not stopped."""
    patient = Patient(lab)
    for node in lab.pair:
        patient.go(node)
    bring(pair, with_patient(patient, (EXTRA, MORE)))
    patient.wait(lab.alpha)
    before, engine = pair.alpha.last_event(), pair.alpha.engine()
    text = pair.alpha.config.read_text()
    program, kept = pair.alpha.bin / "yoked", pair.alpha.bin / "kept"
    pair.alpha.write_config(groups=pair.web.group(SERVICE) + extra((MORE,)))
    os.kill(pair.alpha.process.pid, signal.SIGHUP)
    wait_until(lambda: patient.has(lab.alpha, "stops"), 10, "the stop is under way")
    program.rename(kept)
    try:
        if how == "engine dies":
            os.kill(engine, signal.SIGKILL)
            wait_until(lambda: pair.alpha.engine() not in (None, engine), 5, "another engine")
        program.write_text("no program")
        patient.go(lab.alpha)
        wait_until(lambda: "configuration is not taken" in pair.alpha.process.text(), 20,
                   "it is called off")
        wait_until(lambda: patient.has(lab.alpha, "runs") and lab.alpha.has(EXTRA), 20,
                   "what was stopped runs again")
        wait_until(lambda: pair.alpha.group("extra")["state"] == "started", 5, "and the group")
        assert not pair.alpha.has_event("group_stopping", before) and lab.alpha.has(MORE)
    finally:
        kept.rename(program)
        pair.alpha.config.write_text(text)


@pytest.mark.parametrize("change, says", [
    (("nodes = {", "nodes = {{"), "error: "),
    (('name = "lab"', 'name = "other"'), "the cluster's name cannot change while yoked runs"),
    (('user = "yoke"', 'user = "yoke-snmp"'), "user cannot change while yoked runs"),
    (('interface = "pub"\n  }\n', 'interface = "pub"\n  }\n', 1), None),
])
def test_what_cannot_be_taken_changes_nothing(pair, change, says):
    """The last one ends a resource, and nobody agreed."""
    engine, before = pair.alpha.engine(), pair.alpha.last_event()
    if says:
        text = pair.alpha.config.read_text()
        assert change[0] in text
        pair.alpha.config.write_text(text.replace(change[0], change[1], 1))
    else:
        pair.alpha.write_config(groups=extra(name="web"))
        says = "--yes says that this may be stopped"
    done = pair.alpha.cli("reload")
    assert done.returncode == 1 and says in done.stdout + done.stderr
    assert "nothing was changed" in done.stderr
    told = {event["kind"] for event in pair.alpha.events(before)} - {"stall", "turn_long"}
    assert pair.alpha.engine() == engine and told == set(), "but that the machine is slow"


def test_hangup_alone_says_why_not(pair):
    """As the service manager does it: nobody has looked before."""
    engine, before = pair.alpha.engine(), pair.alpha.last_event()
    pair.alpha.config.write_text(pair.alpha.config.read_text().replace("nodes = {", "node = {", 1))
    os.kill(pair.alpha.process.pid, 1)
    event = wait_until(lambda: pair.alpha.has_event("config_refused", before), 10, "it is refused")
    assert event["reason"].startswith("line ")
    assert pair.alpha.engine() == engine


def test_what_another_program_would_allow_is_refused(pair):
    """The one that is installed now does the trial, and agrees."""
    engine, before = pair.alpha.engine(), pair.alpha.last_event()
    text = pair.alpha.config.read_text()
    program, kept = pair.alpha.bin / "yoked", pair.alpha.bin / "kept"
    other = pair.alpha.dir / "other.conf"
    other.write_text(text.replace('name = "lab"', 'name = "other"'))
    program.rename(kept)
    try:
        program.write_text(f"#!/bin/sh\ncat {other} >&3\n")
        program.chmod(0o755)
        os.kill(pair.alpha.process.pid, signal.SIGHUP)
        event = wait_until(lambda: pair.alpha.has_event("config_refused", before), 10,
                           "it is refused")
    finally:
        program.unlink()
        kept.rename(program)
    assert "the cluster's name cannot change" in event["reason"]
    assert pair.alpha.engine() == engine and pair.alpha.is_running()


def test_what_only_the_verb_reads_is_not_needed(lab, pair):
    """It cannot be written: nothing ends for it, and an older one is not left."""
    running = pair.alpha.run_dir / "running.conf"
    in_the_way = pair.alpha.run_dir / "running.conf.new"
    assert running.exists()
    in_the_way.mkdir()
    try:
        engine = pair.alpha.engine()
        os.kill(pair.alpha.process.pid, signal.SIGHUP)
        wait_until(lambda: pair.alpha.engine() not in (None, engine), 10, "another engine runs")
        pair.settle(lab.alpha)
        assert pair.alpha.is_running() and not running.exists()
    finally:
        in_the_way.rmdir()


def test_the_group_that_differs_is_blocked_and_the_other_fails_over(lab, pair):
    """extra is another one on beta: it is not taken over; web is, as ever."""
    bring(pair, extra())
    before = pair.alpha.last_event()
    pair.beta.write_config(groups=pair.web.group(SERVICE) + extra((EXTRA, MORE)))
    reload(pair.beta)
    event = wait_until(lambda: pair.alpha.has_event("config_differs", before), 5, "alpha says so")
    assert event["reason"] == "group extra"
    assert "its configuration differs: group extra" in pair.alpha.cli("status").stdout
    done = pair.alpha.cli("switch", "extra", "beta")
    assert done.returncode == 1 and "configuration of the group differs" in done.stderr
    lab.alpha.power_cut()
    wait_until(lambda: lab.beta.has(), 10, "web is taken over")
    wait_until(lambda: pair.beta.group("web")["state"] == "started", 10, "and runs")
    assert pair.beta.group("extra")["state"] == "stopped" and not lab.beta.has(EXTRA)
    lab.alpha.power_on()
