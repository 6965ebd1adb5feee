"""The watchdog is fed by the keeper.  No machine of the lab has one: a FIFO keeps what it would
have been fed, as for a program that watches from outside."""

import os
import signal
import threading
import time

import pytest

from lab import now, wait_until

TIMEOUT = 1.0  # seconds; fed five times in it
NEAR = TIMEOUT * 3 / 5


class Dog:
    """Reads a FIFO, and notes when each byte came."""

    def __init__(self, path):
        self.path = path
        os.mkfifo(path)
        self.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.fed = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        while not self.ended.wait(0.005):
            try:
                self.fed += [(now(), byte) for byte in os.read(self.fd, 64)]
            except BlockingIOError:
                pass

    def close(self):
        self.ended.set()
        self.thread.join()
        os.close(self.fd)
        self.path.unlink()

    def longest_gap(self):
        times = [at for at, _ in self.fed] + [now()]
        return max(b - a for a, b in zip(times, times[1:]))

    def is_stopped(self):
        return self.fed[-1][1] == ord("V")


@pytest.fixture
def dog(slow):
    """alpha with a watchdog; beta goes on without."""
    yoke = slow.alpha
    before = yoke.keys["more"]
    assert yoke.leave() == 0
    made = Dog(yoke.dir / "watchdog")
    yoke.write_config(more=f'  watchdog = "{made.path}"\n  watchdog_ms = {TIMEOUT * 1000:.0f}\n')
    try:
        yield made
    finally:
        if yoke.is_running():
            yoke.leave()
        made.close()
        yoke.write_config(more=before)


def begin(yoke, dog):
    yoke.start()
    wait_until(lambda: yoke.status() and dog.fed, 10, "alpha runs and feeds its watchdog")


def test_fed_until_a_clean_leave(slow, dog):
    begin(slow.alpha, dog)
    time.sleep(2 * TIMEOUT)
    assert dog.longest_gap() < NEAR and len(dog.fed) > 2 * 4
    assert slow.alpha.status()["watchdog"] is True
    assert slow.alpha.leave() == 0
    wait_until(dog.is_stopped, 1, "the watchdog is stopped")
    assert [byte for _, byte in dog.fed].count(ord("V")) == 1
    assert dog.longest_gap() < NEAR


def test_fed_while_the_engine_is_started_again(slow, dog):
    begin(slow.alpha, dog)
    for number in (signal.SIGKILL, signal.SIGSTOP):
        old = slow.alpha.engine()
        os.kill(old, number)
        wait_until(lambda gone=old: slow.alpha.engine() not in (None, gone), 3, "another engine")
    wait_until(slow.alpha.status, 5, "it answers")
    assert dog.longest_gap() < NEAR
    assert not slow.alpha.has_event("watchdog_near")


def test_not_stopped_when_the_keeper_dies(slow, dog):
    begin(slow.alpha, dog)
    os.kill(slow.alpha.pids("keeper")[0], signal.SIGKILL)
    wait_until(lambda: not slow.alpha.pids(), 5, "all of yoke ended")
    time.sleep(0.1)
    assert not dog.is_stopped()


def test_a_long_gap_is_told(slow, dog):
    begin(slow.alpha, dog)
    before = slow.alpha.last_event()
    keeper = slow.alpha.pids("keeper")[0]
    os.kill(keeper, signal.SIGSTOP)
    time.sleep(TIMEOUT * 4 / 5)
    os.kill(keeper, signal.SIGCONT)
    event = wait_until(lambda: slow.alpha.has_event("watchdog_near", before), 2, "the event")
    assert NEAR * 1000 < event["value"] < 2000 * TIMEOUT


def test_a_device_that_is_not_there_is_told(slow, dog):
    slow.alpha.write_config(more=f'  watchdog = "{dog.path}-not"\n')
    slow.alpha.start()
    event = wait_until(lambda: slow.alpha.has_event("watchdog_failed"), 10, "the event")
    assert "No such file" in event["reason"]
    assert slow.alpha.status()["watchdog"] is False


def test_one_that_does_not_work_is_told_on_both_nodes(slow, dog):
    for node in (slow.alpha, slow.beta):
        path = dog.path if node is slow.beta else f"{dog.path}-not"
        node.write_config(more=f'  watchdog = "{path}"\n')
        node.start()
    for node in (slow.alpha, slow.beta):
        wait_until(lambda node=node: ["alpha's watchdog does not work" in row["reason"]
                                      for row in node.status()["unready"]].count(True) == 1,
                   10, f"{node.node.name} tells that alpha's does not work")
        wait_until(lambda node=node: node.status()["condition"] == "degraded", 5, "degraded")
