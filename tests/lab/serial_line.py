#!/usr/bin/env python3
"""tests/lab/serial_line.py - a serial cable between two ttys: a pty pair with all that goes wrong.

Usable in a test (Line), and by hand, until Ctrl-C:

    python3 tests/lab/serial_line.py --baud 9600 --flip 0.001

prints the names of the two ttys.  The cable carries bytes at a rate as a UART does, ten bits each:
what a node writes faster waits in its tty, as it would there.  Bytes are lost, changed and inserted
with the given probability for each; a direction can be cut, and an end can be pulled as a USB
adapter is: its tty hangs up and its name is gone until it is plugged again.
"""

import argparse
import os
import pathlib
import random
import select
import sys
import threading
import time
import tty

BITS = 10
STEP_S = 0.005


class End:
    """One plug: the master of a pty, and a name that a node opens."""

    def __init__(self, name):
        self.name = pathlib.Path(name)
        self.master = self.target = None
        self.plug()

    def plug(self, is_shown=True):
        """is_shown: with its name at once; else not before show()."""
        self.master, plug = os.openpty()
        tty.setraw(plug)
        os.set_blocking(self.master, False)
        self.target = os.ttyname(plug)
        # Not kept open: whoever uses a line must be the only one.
        os.close(plug)
        if is_shown:
            self.show()

    def show(self):
        self.name.unlink(missing_ok=True)
        self.name.symlink_to(self.target)

    def pull(self):
        self.name.unlink(missing_ok=True)
        if self.master is not None:
            os.close(self.master)
        self.master = None

    def read(self, size):
        try:
            return os.read(self.master, size) if self.master is not None else b""
        except OSError:
            return b""  # nobody has it open (EIO), or nothing is there

    def write(self, data):
        try:
            if self.master is not None:
                os.write(self.master, data)
        except OSError:
            pass  # a receiver that does not read loses bytes, as a UART's does


class Line:
    """The cable.  Directions are numbers: 0 is from the first end to the second."""

    def __init__(self, first, second, baud=9600, seed=1):
        self.ends = [End(first), End(second)]
        self.baud = baud
        self.drop = self.flip = self.insert = 0.0
        self.is_cut = [False, False]
        self.carried = [0, 0]
        self.wrote_at = [[], []]
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.is_closed = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def noise(self, data):
        out = bytearray()
        for byte in data:
            if self.insert and self.random.random() < self.insert:
                out.append(self.random.randrange(256))
            if self.drop and self.random.random() < self.drop:
                continue
            if self.flip and self.random.random() < self.flip:
                byte ^= 1 << self.random.randrange(8)
            out.append(byte)
        return bytes(out)

    def carry(self, direction, credit):
        """Move at most `credit` bytes.  Returns how many were moved."""
        data = self.ends[direction].read(credit)
        if data:
            self.carried[direction] += len(data)
            if not self.is_cut[direction]:
                self.ends[1 - direction].write(self.noise(data))
        return len(data)

    def run(self):
        credit, last = [0.0, 0.0], time.monotonic()
        while not self.is_closed:
            time.sleep(STEP_S)
            at = time.monotonic()
            for direction in (0, 1):
                credit[direction] += (at - last) * self.baud / BITS
                with self.lock:
                    if credit[direction] >= 1:
                        credit[direction] -= self.carry(direction, int(credit[direction]))
                # What is left was not wanted: an idle line is not faster later.  One that had
                # something to carry is, or it is slower than its rate when this thread is late.
                credit[direction] = min(credit[direction], max(STEP_S * self.baud / BITS, 1))
            last = at

    def cut(self, direction=None, is_cut=True):
        for each in (0, 1) if direction is None else (direction,):
            self.is_cut[each] = is_cut

    def heal(self):
        self.cut(is_cut=False)
        self.drop = self.flip = self.insert = 0.0
        for end in (0, 1):
            if self.ends[end].master is None:
                self.plug(end)

    def pull(self, end):
        with self.lock:
            self.ends[end].pull()

    def plug(self, end, is_shown=True):
        with self.lock:
            self.ends[end].plug(is_shown)

    def shout(self, end, data):
        """Noise that an end hears, from nobody."""
        with self.lock:
            self.ends[end].write(data)

    def close(self):
        self.is_closed = True
        self.thread.join(2)
        for end in self.ends:
            end.pull()


def main():
    parser = argparse.ArgumentParser(description="a serial cable between two ttys")
    parser.add_argument("--baud", type=int, default=9600)
    for what in ("drop", "flip", "insert"):
        parser.add_argument(f"--{what}", type=float, default=0.0, help="probability for each byte")
    parser.add_argument("first", nargs="?", default="/tmp/serial-a")
    parser.add_argument("second", nargs="?", default="/tmp/serial-b")
    chosen = parser.parse_args()
    line = Line(chosen.first, chosen.second, chosen.baud)
    line.drop, line.flip, line.insert = chosen.drop, chosen.flip, chosen.insert
    print(f"{chosen.first} <-> {chosen.second} at {chosen.baud} baud; Ctrl-C ends it", flush=True)
    try:
        select.select([], [], [])
    except KeyboardInterrupt:
        print(f"carried {line.carried[0]} and {line.carried[1]} bytes")
    finally:
        line.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
