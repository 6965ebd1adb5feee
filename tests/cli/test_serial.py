"""`yoke serial-test` at one end: what it says when there is no other, and what it refuses.

Both ends are in tests/lab/test_serial.py, each count in tests/unit/tools_cable.c.
"""

import contextlib
import os
import pathlib
import subprocess
import threading
import tty

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
YOKE = os.environ.get("YOKE", str(TOP / "build" / "yoke"))
BOUND_S = 20


def serial_test(*arguments):
    return subprocess.run([YOKE, "serial-test", *arguments], capture_output=True, text=True,
                          timeout=BOUND_S, stdin=subprocess.DEVNULL, check=False)


@contextlib.contextmanager
def port(answer):
    """A tty; what is sent to it is answered with answer(bytes)."""
    far, near = os.openpty()
    tty.setraw(near)
    name = os.ttyname(near)
    os.close(near)
    done = threading.Event()

    def serve():
        while not done.is_set():
            try:
                os.write(far, answer(os.read(far, 4096)))
            except OSError:
                done.wait(0.01)  # nobody has it open yet, or any more
    server = threading.Thread(target=serve)
    server.start()
    try:
        yield name
    finally:
        done.set()
        server.join(BOUND_S)
        os.close(far)


def test_nobody_at_the_other_end():
    with port(lambda data: b"") as name:
        done = serial_test("--timeout", "1", name)
    assert done.returncode == 4, done.stdout
    assert done.stdout.startswith(f"{name} at 9600 baud; now run the same on the other node\n")
    assert "nothing came.  Is 'yoke serial-test' running on the other node, too?" in done.stdout


def test_a_loop_plug():
    with port(lambda data: data) as name:
        done = serial_test("--timeout", "10", "--baud", "115200", name)
    assert done.returncode == 1
    assert "it hears itself: the port works, and is looped" in done.stdout


def test_another_rate_at_the_other_end():
    with port(lambda data: bytes(byte ^ 0x55 for byte in data)) as name:
        done = serial_test("--timeout", "1", name)
    assert done.returncode == 1
    assert "bytes came, but no frame: another rate at the other end" in done.stdout


@pytest.mark.parametrize("arguments,status,said", [
    (["/dev/ttyNONE"], 1, "yoke: /dev/ttyNONE: it cannot be opened: No such file or directory"),
    (["/dev/full"], 1, "yoke: /dev/full: it is no terminal"),
    (["/dev/console"], 1, "yoke: /dev/console: the kernel's console is on it"),
    (["--baud", "14400", "/dev/x"], 2,
     "yoke: --baud is one of 9600 19200 38400 57600 115200 230400 460800 921600"),
    (["--baud", "fast", "/dev/x"], 2, "yoke: --baud must be a number from 1 to 921600, not 'fast'"),
    ([], 2, "yoke: too few arguments"),
])
def test_what_is_refused(arguments, status, said):
    done = serial_test(*arguments)
    assert done.returncode == status
    assert done.stdout == ""
    assert done.stderr.startswith(said), done.stderr


def test_what_another_process_has_is_refused():
    far, near = os.openpty()
    done = serial_test(os.ttyname(near))
    os.close(far)
    os.close(near)
    assert done.returncode == 1
    assert f"(process {os.getpid()}) uses it" in done.stderr
