"""The keeper: stops, full disks and slow ones; each of these was wrong once."""

import contextlib
import os
import signal
import subprocess

import pytest

from arrays import Array
from lab import SERVICE, run, wait_until


def leaves(lab, cluster):
    """alpha leaves in order: nothing is left behind, and beta does not have to hold the group."""
    before = cluster.beta.last_event()

    def check():
        wait_until(lambda: not cluster.alpha.pids(), 10, "yoke on alpha has ended")
        wait_until(lambda: lab.owner() is lab.beta, 5, "beta owns the address")
        assert not lab.alpha.has(SERVICE)
        assert cluster.beta.has_event("node_left", before)
        assert not cluster.beta.has_event("group_held", before)
    return check


def test_signal_to_all_processes_is_a_clean_leave(lab, slow):
    """Ctrl-C in a terminal, or a supervisor that signals the whole group."""
    check = leaves(lab, slow)
    for pid in slow.alpha.pids("engine") + slow.alpha.pids("saver") + slow.alpha.pids("keeper"):
        os.kill(pid, signal.SIGINT)
    check()


def test_stop_between_two_lives_of_the_engine(lab, slow):
    """The engine died so often that the keeper waits before the next: that one leaves in order."""
    for _ in range(7):
        old = slow.alpha.engine()
        os.kill(old, signal.SIGKILL)
        if not wait_for_another(slow.alpha, old):
            break
    check = leaves(lab, slow)
    os.kill(slow.alpha.pids("keeper")[0], signal.SIGTERM)
    check()


def wait_for_another(yoke, old):
    """Another engine at once; False when there is a pause."""
    try:
        wait_until(lambda: yoke.engine() not in (None, old), 0.5, "another engine")
        return True
    except AssertionError:
        return False


def test_reader_of_stderr_goes_away(lab, slow):
    slow.stop()
    read, write = os.pipe()
    command = lab.alpha.enter([slow.alpha.bin / "yoked", "--config", slow.alpha.config, "--node",
                                 "alpha"])
    process = subprocess.Popen(command, stderr=write, stdin=subprocess.DEVNULL)
    try:
        os.close(write)
        wait_until(slow.alpha.status, 5, "the engine answers")
        os.close(read)
        # A refusal is logged, and nobody reads.
        assert slow.alpha.cli("switch", "web", "beta").returncode == 1
        assert process.poll() is None and slow.alpha.status()
    finally:
        process.terminate()
        assert process.wait(10) == 0


def test_full_run_dir_is_told_at_the_start(lab, slow):
    slow.stop()
    run_dir = slow.alpha.run_dir
    for file in run_dir.iterdir():
        file.unlink()
    run("mount", "-t", "tmpfs", "-o", "size=64k", "none", run_dir)
    try:
        done = subprocess.run(lab.alpha.enter([slow.alpha.bin / "yoked", "--config",
                                                 slow.alpha.config, "--node", "alpha"]),
                              capture_output=True, text=True, timeout=10, check=False)
    finally:
        run("umount", run_dir)
    assert done.returncode == 1 and "No space left on device" in done.stderr


@pytest.fixture(params=["ext4", "tmpfs"])
def small(request, lab, slow):
    """alpha's state is on a small file system of its own."""
    place = slow.alpha.state_dir
    slow.stop()
    with contextlib.ExitStack() as stack:
        if request.param == "ext4":
            array = stack.enter_context(Array(lab.dir, "small", journal=True))
            run("mount", "--bind", array.place, place)
        else:
            run("mount", "-t", "tmpfs", "-o", "size=4m", "none", place)
        stack.callback(unmount, place)
        stack.callback(slow.alpha.kill_all)
        yield place


def unmount(place):
    """As soon as who was killed is gone."""
    wait_until(lambda: subprocess.run(["umount", place], capture_output=True,
                                      check=False).returncode == 0, 5, f"nobody uses {place}")


def write_zeros(file, size):
    """Returns why not all of them could be written."""
    return subprocess.run(["dd", "if=/dev/zero", f"of={file}", f"bs={size}", "conv=fsync"],
                          capture_output=True, text=True, check=False, timeout=60).stderr


def fill(folder):
    """Until no block is left, also none that a journal gives back later."""
    for size in ("64k", "4k", "1k"):
        for number in range(3):
            why = write_zeros(folder / f"full.{size}.{number}", size)
            assert "No space left on device" in why, why
            os.sync()


def switch_there_and_back(lab, cluster, record):
    for node in (lab.beta, lab.alpha):
        before, seen = record.read_bytes(), cluster.alpha.last_event()
        cluster.switch(node)
        wait_until(lambda old=before: record.read_bytes() != old, 5, "another record")
        assert not cluster.alpha.has_event("save_failed", seen)
        assert "cannot save" not in cluster.alpha.status()["text"]


def test_state_is_saved_on_a_full_disk(lab, slow, small):
    """That is what ends services: just then a failover must be possible, also after a start."""
    record = small / "record"
    slow.beta.start()
    for _ in range(2):
        slow.alpha.start()
        slow.settle()
        slow.switch(lab.alpha)
        assert slow.alpha.leave() == 0
    assert (small / "record.old").exists()
    slow.alpha.start()
    slow.settle()
    slow.switch(lab.alpha)
    fill(small)
    switch_there_and_back(lab, slow, record)
    assert slow.alpha.leave() == 0
    before = record.read_bytes()
    slow.alpha.start()
    slow.settle()
    slow.switch(lab.alpha)
    switch_there_and_back(lab, slow, record)
    assert (small / "record.old").read_bytes() == before
    assert "No space left on device" in write_zeros(small / "more", "1k")


def test_unreadable_record_is_kept(lab, slow):
    slow.stop()
    record = slow.alpha.state_dir / "record"
    record.write_bytes(b"not a record")
    slow.alpha.start()
    wait_until(lambda: slow.alpha.has_event("state_unreadable"), 5, "the alarm")
    wait_until(lambda: record.read_bytes() != b"not a record", 5, "a new record")
    assert (slow.alpha.state_dir / "record.old").read_bytes() == b"not a record"
    assert slow.alpha.cli("online", "alpha").returncode == 0


def test_record_that_is_read_late_counts(lab, slow):
    """A disk that does not answer for long: the node starts as standby, saves nothing over what it
    has not read, and goes on with that as soon as it comes."""
    slow.stop()
    record = slow.alpha.state_dir / "record"
    good = record.read_bytes()
    term = term_of(good)
    assert term > 0
    record.unlink()
    os.mkfifo(record, 0o600)
    slow.alpha.start()
    wait_until(lambda: slow.alpha.has_event("state_unreadable"), 15, "starts without it")
    assert record.is_fifo(), "something was saved over what was not read"
    with record.open("wb") as disk:
        disk.write(good)
    wait_until(lambda: slow.alpha.status()["nodes"][0]["standby"] is False, 10, "the true record")
    slow.beta.start()
    owner = slow.settle()
    assert owner.group()["term"] > term


def term_of(record):
    """The reserved term of group web: after its name."""
    at = record.index(b"web") + len(b"web")
    return int.from_bytes(record[at:at + 8], "big")
