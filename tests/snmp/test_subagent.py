"""yoke-snmp between a real snmpd with snmptrapd, and a stand-in engine."""

import os
import signal
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fake_engine import FakeEngine
from nms import ROOT, Nms, Subagent, wait_until

NAME = "1.1.1.0"
DATA_AGE = "1.11.1.0"
LOCK = "1.9.1.0"
REASON = "1.9.2.0"
WEB_OWNER = "1.9.3.1.1.1"
STANDBY = "1.9.4.1.1."
CONFIRM_DOWN = "1.9.4.1.2."
NODE_LOST, PATH_DOWN = 4, 10
BACK_S = 5.0  # the MIB answers again so soon after snmpd is back


class World:
    def __init__(self, directory):
        self.directory = directory
        self.nms = Nms(directory)
        self.engine = FakeEngine(directory / "yoke.sock")
        self.subagent = Subagent(directory, self.nms, self.engine.path)
        wait_until(self.answers, 10, "the MIB answers")

    def answers(self):
        return self.nms.get(NAME, timeout_s=1) == "shop"

    def log(self):
        return self.subagent.log.read_text()

    def await_events(self, numbers, timeout_s=10.0):
        """All these events arrive as notifications, each once, in order."""
        numbers = list(numbers)
        wait_until(lambda: len(self.nms.event_numbers()) >= len(numbers), timeout_s,
                   f"notifications {numbers}, have {self.nms.event_numbers()}\n{self.log()}")
        assert self.nms.event_numbers() == numbers
        wait_until(lambda: self.nms.get("1.11.7.0") == "0", 5, "all acknowledged")

    def stop(self):
        self.subagent.stop()
        self.engine.stop()
        self.nms.stop()


@pytest.fixture(name="shared", scope="module")
def make_shared(tmp_path_factory):
    """For tests that only ask and write: a start of everything takes more than a second."""
    world = World(tmp_path_factory.mktemp("shared"))
    yield world
    world.stop()


@pytest.fixture(name="writable")
def make_writable(shared):
    shared.engine.operations.clear()
    shared.engine.verdict = lambda request: "ok"
    return shared


@pytest.fixture(name="world")
def make_world(tmp_path):
    world = World(tmp_path)
    yield world
    world.stop()


def test_walk_is_complete_and_equal_by_getnext_and_getbulk(world):
    world.engine.emit("group_started", node=1, group=1, value=3)
    wait_until(lambda: world.nms.get("1.10.1.18.1"), 5, "the event's row")
    one_by_one, in_bulk = world.nms.walk(), world.nms.walk(tool="snmpbulkwalk")
    for moving in (DATA_AGE, "1.1.7.0"):
        one_by_one.pop(moving)
        in_bulk.pop(moving)
    assert one_by_one == in_bulk
    rows = {1: 26, 2: 2 * 15, 3: 2 * 35, 4: 16, 5: 2 * 4, 6: 8, 7: 2, 9: 11, 10: 19, 11: 9,
            12: 8, 13: 1, 14: 6}
    found = {table: sum(name.startswith(f"1.{table}.") for name in one_by_one) for table in rows}
    assert found == rows
    assert one_by_one["1.2.1.2.2"] == "beta"
    assert one_by_one["1.3.1.14.2.1"] == "5000000000"
    assert world.nms.get("1.3.1.14.2.9") is None
    assert world.nms.get("1.99.0") is None


def test_a_manager_finds_yoke_in_the_system_group(world):
    def found():
        return ROOT + ".2.3" in world.nms.ask("snmpwalk", ".1.3.6.1.2.1.1.9.1.2").stdout
    assert found()
    world.nms.snmpd.kill()
    world.nms.snmpd.start()
    wait_until(found, 10, "registered again")


def test_a_change_is_seen_at_once(world):
    world.engine.snapshot["condition"] = "degraded"
    world.engine.kick()
    _, took_s = wait_until(lambda: world.nms.get("1.1.2.0") == "3", 5, "the condition changes")
    assert took_s < 1
    assert world.nms.get("1.1.6.0") != "00 00 00 00 00 00 00 00 2B 00 00"


def test_notification_has_all_objects(world):
    world.engine.emit("node_online", node=2, to="online", **{"from": "joining"})
    world.engine.emit("path_down", "warning", node=2, path=2, to="down", **{"from": "up"})
    world.await_events([1, 2])
    first, second = world.nms.traps()
    assert second["notification"] == PATH_DOWN
    names = [name for name in second if not name.startswith(".")][:-1]
    assert names == ["1.10.1.2.2", "1.10.1.3.2", "1.10.1.5.2", "1.1.1.0", "1.10.1.6.2",
                     "1.10.1.7.2", "1.10.1.8.2", "1.10.1.9.2", "1.10.1.10.2", "1.10.1.11.2",
                     "1.10.1.12.2", "1.10.1.13.2", "1.10.1.16.2", "1.10.1.18.2"]
    assert [name.rsplit(".", 1)[0] for name in names] == [
        name.rsplit(".", 1)[0] for name in first if not name.startswith(".")][:-1]
    assert (second["1.1.1.0"], second["1.10.1.6.2"], second["1.10.1.7.2"]) == (
        "shop", "alpha", "beta")
    assert (second["1.10.1.9.2"], second["1.10.1.12.2"], second["1.10.1.13.2"]) == (
        "blue", "up", "down")
    for name in names:
        assert world.nms.get(name) == second[name]


def test_events_without_a_notification_are_not_sent(world):
    world.engine.emit("group_owner", group=1, node=1)
    world.engine.emit("path_up", node=2, path=1)
    world.await_events([2])


def test_a_burst_larger_than_the_window_arrives_in_order(world):
    for _ in range(300):
        world.engine.emit("path_up", node=2, path=1, kick=False)
    world.engine.kick()
    world.await_events(range(1, 301), 30)


def test_snmpd_killed_and_restarted(world):
    world.engine.emit("path_up", node=2, path=1)
    world.await_events([1])
    world.nms.snmpd.kill()
    for _ in range(40):
        world.engine.emit("path_down", "warning", node=2, path=1)
    world.nms.snmpd.start()
    wait_until(world.nms.answers, 10, "snmpd is back")
    _, took_s = wait_until(world.answers, 30, "the MIB is back")
    assert took_s <= BACK_S
    world.await_events(range(1, 42))


def test_snmpd_restarted_again_and_again(world):
    for number in range(1, 4):
        world.nms.snmpd.kill()
        world.engine.emit("path_up", node=2, path=1)
        world.nms.snmpd.start()
        wait_until(world.nms.answers, 10, "snmpd is back")
        _, took_s = wait_until(world.answers, 30, "the MIB is back")
        assert took_s <= BACK_S
        world.await_events(range(1, number + 1))


def test_snmpd_hung(world):
    world.nms.snmpd.signal(signal.SIGSTOP)
    numbers = [world.engine.emit("path_up", node=2, path=1) for _ in range(40)]
    hang_s = float(os.environ.get("YOKE_HANG_S", "20"))
    # The subagent goes on reading the engine meanwhile: that is how the time passes.
    taken = world.engine.snapshot["taken_wall_ms"]
    wait_until(lambda: world.engine.snapshot["taken_wall_ms"] - taken > hang_s * 1000,
               hang_s + 5, "pulls go on while snmpd hangs")
    world.nms.snmpd.signal(signal.SIGCONT)
    _, took_s = wait_until(world.answers, 30, "the MIB is back")
    assert took_s <= BACK_S
    world.await_events(numbers)


def test_snmpd_hung_and_then_killed(world):
    world.nms.snmpd.signal(signal.SIGSTOP)
    numbers = [world.engine.emit("path_up", node=2, path=1) for _ in range(5)]
    world.nms.snmpd.kill()
    world.nms.snmpd.start()
    wait_until(world.nms.answers, 10, "snmpd is back")
    _, took_s = wait_until(world.answers, 30, "the MIB is back")
    assert took_s <= BACK_S
    world.await_events(numbers)


def test_subagent_hung_until_snmpd_gives_it_up(world):
    world.subagent.signal(signal.SIGSTOP)
    world.engine.emit("path_up", node=2, path=1)
    assert world.nms.get(NAME, timeout_s=20) is None
    world.subagent.signal(signal.SIGCONT)
    _, took_s = wait_until(world.answers, 30, "the MIB is back")
    assert took_s <= BACK_S
    world.await_events([1])


def test_subagent_restarted_sends_nothing_twice(world):
    for _ in range(3):
        world.engine.emit("path_up", node=2, path=1)
    world.await_events([1, 2, 3])
    wait_until(lambda: world.subagent.state.read_text() == "3\n", 5, "the state file")
    world.subagent.kill()
    world.engine.emit("path_down", node=2, path=1)
    world.subagent.start()
    world.await_events([1, 2, 3, 4])


def test_end_by_sigterm_sends_the_last_words(world):
    world.engine.emit("engine_stopped", node=1)
    world.subagent.signal(signal.SIGTERM)
    assert world.subagent.process.wait(2) == 0
    assert world.subagent.state.read_text() == "1\n"
    wait_until(lambda: world.nms.event_numbers() == [1], 5, "the notification")


def test_end_by_sigterm_while_snmpd_hangs(world):
    world.nms.snmpd.signal(signal.SIGSTOP)
    world.engine.emit("engine_stopped", node=1)
    world.subagent.signal(signal.SIGTERM)
    assert world.subagent.process.wait(2) == 0
    assert not world.subagent.state.exists()
    world.nms.snmpd.signal(signal.SIGCONT)


@pytest.mark.parametrize("content", ["", "rubbish\n", "-5\n", "99999999999999999999999\n"])
def test_unreadable_state_file_loses_nothing(tmp_path, content):
    (tmp_path / "delivered").write_text(content)
    world = World(tmp_path)
    try:
        world.engine.emit("path_up", node=2, path=1)
        world.await_events([1])
        assert "holds no number" in world.log()
    finally:
        world.stop()


def test_forgotten_events_are_counted_and_logged(world):
    world.engine.emit("path_up", node=2, path=1)
    world.await_events([1])
    world.engine.snapshot["last_event"] = 9
    world.engine.emit("path_up", node=2, path=1)
    world.await_events([1, 10])
    assert world.nms.get("1.11.8.0") == "8"
    assert "events 2 to 9 are lost" in world.log()


def test_numbers_that_begin_again_are_sent_again(world):
    for _ in range(3):
        world.engine.emit("path_up", node=2, path=1)
    world.await_events([1, 2, 3])
    world.engine.stop()
    world.engine.events.clear()
    world.engine.snapshot["last_event"] = 0
    world.engine.emit("path_up", node=2, path=1)
    world.engine.start()
    world.await_events([1, 2, 3, 1])


def test_engine_gone_and_back(world):
    world.engine.emit("path_up", node=2, path=1)
    world.await_events([1])
    world.engine.stop()
    assert world.answers()
    wait_until(lambda: world.nms.get(NAME) is None, 15, "old data is not shown")
    assert int(world.nms.get(DATA_AGE)) > 10000
    assert world.nms.get("1.11.3.0") == "2"
    assert world.nms.get("1.10.1.18.1")
    assert {name.split(".")[1] for name in world.nms.walk()} == {"10", "11"}
    assert world.nms.set((STANDBY + "2", "i", 1)) == "resourceUnavailable"
    world.engine.start()
    wait_until(world.answers, 2, "new data is shown")
    world.engine.emit("path_up", node=2, path=1)
    world.await_events([1, 2])


def test_engine_that_answers_rubbish_is_left(world):
    world.engine.answer = lambda request, state: ["rubbish"]
    world.engine.kick()
    wait_until(lambda: "no engine at" in world.log(), 5, "the fault is logged")
    del world.engine.answer
    wait_until(lambda: world.nms.get("1.11.3.0") == "1", 5, "connected again")


def lock_of(world):
    return int(world.nms.get(LOCK))


def test_switch_by_set(writable):
    lock = lock_of(writable)
    assert writable.nms.set((LOCK, "i", lock), (REASON, "s", "Jane, ticket 12"),
                         (WEB_OWNER, "u", 2)) == ""
    (request,) = writable.engine.operations
    assert request["do"] == "switch"
    assert (request["group"], request["node"]) == ("web", "beta")
    assert request["by"].startswith("snmp")
    assert request["reason"] == "Jane, ticket 12"
    assert lock_of(writable) == lock + 1
    assert writable.nms.get("1.11.9.0") == "1"  # accepted; this test is the first to write


def test_standby_and_online_by_set(writable):
    assert writable.nms.set((STANDBY + "2", "i", 1)) == ""
    assert writable.nms.set((STANDBY + "2", "i", 2)) == ""
    assert [(request["do"], request["node"]) for request in writable.engine.operations] == [
        ("standby", "beta"), ("online", "beta")]


def test_confirm_down_by_set(writable):
    assert writable.nms.set((REASON, "s", "pulled its plug, ticket 7"),
                            (CONFIRM_DOWN + "2", "i", 1)) == ""
    request = writable.engine.operations[-1]
    assert (request["do"], request["node"], request["by"]) == ("confirmDown", "beta", "snmp")
    assert request["reason"] == "pulled its plug, ticket 7"
    assert writable.nms.get(CONFIRM_DOWN + "2") == "2"
    assert writable.nms.set((CONFIRM_DOWN + "2", "i", 2)) == "wrongValue"
    writable.engine.verdict = lambda request: "in-contact"
    assert writable.nms.set((CONFIRM_DOWN + "2", "i", 1)) == "inconsistentValue"


def test_spin_lock_of_the_past_is_refused(writable):
    lock = lock_of(writable)
    for _ in range(2):
        error = writable.nms.set((LOCK, "i", lock), (WEB_OWNER, "u", 2))
    assert error == "inconsistentValue"
    assert len(writable.engine.operations) == 1


def test_spin_lock_alone_moves_on(writable):
    lock = lock_of(writable)
    assert writable.nms.set((LOCK, "i", lock)) == ""
    assert lock_of(writable) == lock + 1
    assert writable.nms.set((LOCK, "i", lock)) == "inconsistentValue"
    assert writable.nms.set((LOCK, "i", lock + 1), (WEB_OWNER, "u", 2)) == ""


@pytest.mark.parametrize(("verdict", "error"), [
    ("not-a-member", "inconsistentValue"), ("not-ready", "inconsistentValue"),
    ("busy", "inconsistentValue"), ("nowhere-to-go", "inconsistentValue"),
    ("no-such-node", "wrongValue"), ("save-failed", "resourceUnavailable"),
    ("disabled", "notWritable"), ("denied", "authorizationError"), ("bad-request", "genError")])
def test_verdict_of_the_engine_reaches_the_manager(writable, verdict, error):
    writable.engine.verdict = lambda request: verdict
    assert writable.nms.set((WEB_OWNER, "u", 2)) == error
    assert len(writable.engine.operations) == 1


@pytest.mark.parametrize(("varbinds", "error", "told"), [
    ([(WEB_OWNER, "i", 2)], "wrongType", 0),
    ([(WEB_OWNER, "u", 0)], "wrongValue", 1),
    ([(WEB_OWNER, "u", 3)], "wrongValue", 1),
    ([(WEB_OWNER, "u", 4294967295)], "wrongValue", 1),
    ([("1.9.3.1.1.9", "u", 1)], "noCreation", 1),
    ([("1.9.3.1.1.1.1", "u", 1)], "noCreation", 0),
    ([("1.9.7.0", "u", 1)], "noCreation", 0),
    ([(STANDBY + "2", "i", 3)], "wrongValue", 0),
    ([(STANDBY + "2", "u", 1)], "wrongType", 0),
    ([(STANDBY + "9", "i", 1)], "noCreation", 1),
    ([(REASON, "s", "x" * 64), (WEB_OWNER, "u", 2)], "wrongLength", 0),
    ([(REASON, "i", 1)], "wrongType", 0),
    ([(LOCK, "s", "x")], "wrongType", 0),
    ([(LOCK, "i", -1)], "wrongValue", 0),
    ([(WEB_OWNER, "u", 2), (STANDBY + "1", "i", 1)], "inconsistentValue", 0),
])
def test_invalid_set_changes_nothing(writable, varbinds, error, told):
    assert writable.nms.set(*varbinds) == error
    assert "SET refused" in writable.log()
    # What the engine is told of is such that it can only refuse.
    wait_until(lambda: len(writable.engine.operations) == told, 5, "the engine records the refusal")
    for request in writable.engine.operations:
        assert "#" in request.get("group", "") + request["node"]
    assert writable.answers()


def test_read_only_objects_and_users(writable):
    assert writable.nms.set(("1.4.1.5.1", "u", 2)) == "noAccess"  # outside the view, says snmpd
    assert writable.nms.set((WEB_OWNER, "u", 2), user="reader") == "noAccess"
    assert writable.engine.operations == []


def test_set_is_off_unless_enabled(world):
    world.engine.snapshot["snmp_set"] = False
    world.engine.verdict = lambda request: "disabled"
    world.engine.kick()
    wait_until(lambda: world.nms.get("1.1.14.0") == "2", 5, "SET is off")
    assert world.nms.set((WEB_OWNER, "u", 2)) == "notWritable"
    assert world.nms.set((LOCK, "i", lock_of(world))) == "notWritable"
    wait_until(lambda: len(world.engine.operations) == 1, 5, "the engine records the refusal")


def test_engine_that_does_not_answer_a_set(world):
    world.engine.silent = True
    assert world.nms.set((WEB_OWNER, "u", 2)) == "resourceUnavailable"
    assert len(world.engine.operations) == 1
    world.engine.silent = False
    wait_until(lambda: world.nms.set((WEB_OWNER, "u", 2)) == "", 5, "a SET works again")


def test_memory_does_not_grow(world):
    for _ in range(3):
        world.nms.walk(tool="snmpbulkwalk")
    before = world.subagent.rss_kb()
    for _ in range(200):
        world.engine.emit("path_up", node=2, path=1)
    world.await_events(range(1, 201), 30)
    for _ in range(10):
        world.nms.walk(tool="snmpbulkwalk")
    # The event ring fills once; 200 of its places are 80 KB.
    assert world.subagent.rss_kb() - before < 600


def test_arguments():
    import subprocess
    from nms import BUILD
    program = str(BUILD / "yoke-snmp")
    assert subprocess.run([program, "--help"], capture_output=True, check=True).stdout
    for bad in (["--nonsense"], ["extra"]):
        result = subprocess.run([program, *bad], capture_output=True, text=True, check=False)
        assert result.returncode == 64
        assert "usage" in result.stderr
