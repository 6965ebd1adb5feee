"""A monitor that hangs in the kernel, where no signal ends it: the array that it looks at does not
answer.  It is real: a frozen file system, and a process in state D."""

import pytest
from arbiters import taken_over
from arrays import Array, is_in_kernel
from lab import now, wait_until
from service import command_of
from test_disk import troubles
from test_script import Service

# Writes on the node's own array.
MONITOR = r"""#!/bin/sh
echo "$$" >"$(dirname "$0")/$YOKE_NODE.array/seen"
"""
MONITOR_MS = 500


class Hung:
    """alpha owns the service; its array is alpha's alone."""

    def __init__(self, outside, service, array):
        lab, self.array = outside.lab, array
        self.program = service.dir / "look"
        self.program.write_text(MONITOR)
        self.program.chmod(0o755)
        group = service.group(exclusive="yes", stop_ms=500)
        for old, new in (("monitor_timeout_ms = 30000", f"monitor_timeout_ms = {MONITOR_MS}"),
                         ("    restarts = 2\n",
                          f'    restarts = 0\n    monitor = {{ "{self.program}" }}\n')):
            assert old in group
            group = group.replace(old, new)
        self.one = outside("witness", group=group)
        self.alpha, self.beta = self.one.cluster.alpha, self.one.cluster.beta
        wait_until(lambda: service.pid(lab.alpha), 5, "the service runs on alpha")
        wait_until((array.place / "seen").exists, 5, "it is looked at")

    def monitors(self):
        """Those of alpha's that wait in the kernel."""
        return [pid for pid in self.one.lab.alpha.group.pids()
                if str(self.program) in command_of(pid) and is_in_kernel(pid)]


@pytest.fixture(scope="module")
def array(world):
    folder = Service(world.lab).dir
    (folder / "beta.array").mkdir()
    with Array(folder, "alpha.array") as made:
        yield made


@pytest.fixture
def hung(outside, lab, array):
    service = Service(lab)
    service.forget_wishes()
    yield Hung(outside, service, array)
    array.thaw()


def test_monitor_that_hangs_in_the_kernel(hung, owners):
    """It cannot be killed, so the stop cannot be known to work either: nothing else waits for it,
    no second one is started beside it, and in the end the watchdog resets the machine."""
    one, alpha, beta = hung.one, hung.alpha, hung.beta
    since, before = now(), {yoke.node.name: yoke.last_event() for yoke in (alpha, beta)}
    calm = {yoke.node.name: troubles(yoke) for yoke in (alpha, beta)}
    hung.array.freeze()
    waits = wait_until(hung.monitors, 5, "a monitor waits in the kernel")
    failed = wait_until(lambda: alpha.has_event("resource_failed", before["alpha"]), 10, "it fails")
    assert "timed out" in failed["text"], failed
    resetting = wait_until(lambda: alpha.has_event("node_resetting", before["alpha"]), 30, "no way")
    assert ("web cannot be stopped: hung in the kernel: the process before it cannot be killed"
            in resetting["text"]), resetting
    assert hung.monitors() == waits and len(waits) == 1
    assert {yoke.node.name: troubles(yoke) for yoke in (alpha, beta)} == calm
    assert not beta.has_event("node_lost", before["beta"]) and one.lab.owner() is one.lab.alpha
    wait_until(lambda: one.lab.alpha.off_since, 10, "the watchdog resets alpha")
    taken_over(one, one.lab.alpha.off_since)
    assert one.dogs[0].fired == 1
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 1
