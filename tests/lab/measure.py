"""tests/lab/measure.py - what a client sees, who has the address, how regular the heartbeats are.

All three run tests/lab/probe.c and read the lines that it writes; times are seconds on the
monotonic clock (lab.now()).  Gaps are in milliseconds.
"""

import bisect
import os
import pathlib
import signal
import time

from lab import ECHO_PORT, SERVICE, now, wait_until


SAMPLER_MS = 1


class Recorder:
    """One probe process and the lines it has written so far."""

    def __init__(self, node, name, arguments, file):
        self.file = pathlib.Path(file)
        self.file.unlink(missing_ok=True)
        self.process = node.start(name, [node.lab.probe, *arguments])
        wait_until(self.file.exists, 5, f"{name} writes {self.file}")

    def lines(self):
        text = self.file.read_text()
        # The last line may be half written.
        return [line.split() for line in text[:text.rfind("\n") + 1].splitlines()]

    def close(self):
        self.process.stop()


def longest_gap(times, since, until):
    """The longest stretch without an entry that touches [since, until], in ms, and its start."""
    first = max(bisect.bisect_left(times, since) - 1, 0)
    inside = [at for at in times[first:] if at <= until]
    points = (inside or [since]) + [until]
    gaps = [((after - before) * 1000, before) for before, after in zip(points, points[1:])]
    return max(gaps)


class Probe(Recorder):
    """The client asks the service address every millisecond."""

    def __init__(self, lab, address=SERVICE, interval_us=1000, name="probe"):
        self.lab = lab
        super().__init__(lab.client, name, ["ask", address, ECHO_PORT, interval_us,
                                            lab.fast / f"{name}.txt"], lab.fast / f"{name}.txt")

    def answers(self):
        return [(int(sent) / 1e6, int(received) / 1e6, node)
                for sent, received, _, node in self.lines()]

    def answers_since(self, since):
        return [answer for answer in self.answers() if answer[0] >= since]

    def wait_answer(self, timeout=5, node=None, since=None):
        """Until an answer comes to a question asked from now on; which node, if it matters."""
        start = now() if since is None else since

        def answered():
            found = [a for a in self.answers_since(start) if node is None or a[2] == node.name]
            return found[0] if found else None
        who = node.name if node else "the service"
        return wait_until(answered, timeout, f"an answer from {who}", every=0.05)

    def outage(self, since, until=None):
        """Longest time without an answer around a fault at `since`, ms."""
        return self.gap(since, until)[0]

    def gap(self, since, until=None):
        until = now() if until is None else until
        return longest_gap([answer[1] for answer in self.answers()], since, until)

    def moves(self, since):
        """How often the answering node changed."""
        names = [answer[2] for answer in self.answers_since(since)]
        return sum(1 for before, after in zip(names, names[1:]) if before != after)


class Owners(Recorder):
    """Which node had the address when: told by the kernel, not polled."""

    def __init__(self, lab, address=SERVICE, name="owners"):
        self.lab = lab
        file = lab.fast / f"{name}.txt"
        spaces = [f"{node.name}=/run/netns/{node.space}" for node in lab.pair]
        super().__init__(lab.client, name, ["owners", address, file, *spaces], file)
        # The first line says that it listens; what is there already follows within moments.
        wait_until(self.lines, 5, "the owner sampler listens")
        time.sleep(0.05)

    def spans(self, until=None):
        """name -> [(from, to)]: when it had power and the address."""
        until = now() if until is None else until
        spans = {node.name: [] for node in self.lab.pair}
        open_at = {}
        for at, name, has in self.lines():
            if has == "1":
                open_at[name] = int(at) / 1e6
            elif name in open_at:
                spans[name].append((open_at.pop(name), int(at) / 1e6))
        for name, at in open_at.items():
            spans[name].append((at, until))
        for node in self.lab.pair:
            dark = node.off + ([(node.off_since, until)] if node.off_since is not None else [])
            for start, end in dark:
                spans[node.name] = [part for span in spans[node.name]
                                    for part in cut_out(span, start, end)]
        return spans

    def both_ms(self, since, until=None):
        """How long both had it, in ms, all stretches added.  What is below SAMPLER_MS is the
        order in which the sampler read the two namespaces' news, not an overlap."""
        until = now() if until is None else until
        spans = self.spans(until)
        total = 0.0
        for start, end in spans["alpha"]:
            for other_start, other_end in spans["beta"]:
                both = (min(end, other_end, until) - max(start, other_start, since)) * 1000
                total += both if both > SAMPLER_MS else 0.0
        return total

    def takeovers(self, since, until=None):
        """Starts of the address on any node after `since`."""
        until = now() if until is None else until
        return sum(1 for spans in self.spans(until).values() for start, _ in spans
                   if since <= start <= until)


def cut_out(span, start, end):
    """What is left of a span without [start, end]."""
    parts = [(span[0], min(span[1], start)), (max(span[0], end), span[1])]
    return [(first, last) for first, last in parts if last > first]


class Frames(Recorder):
    """When a node's frames reach the switch, stamped by the kernel."""

    def __init__(self, lab, node, link, what, name="frames"):
        file = lab.fast / f"{name}-{node.name}-{link}.txt"
        file.unlink(missing_ok=True)
        self.file = file
        command = ["nsenter", f"--net=/run/netns/{lab.switch}", "--", str(lab.probe), "frames",
                   node.port(link), what, str(file)]
        self.process = lab.client.start(f"{name}-{node.name}-{link}", command)
        wait_until(file.exists, 5, f"{name} writes {file}")

    def times(self):
        return [int(line[0]) / 1e6 for line in self.lines()]

    def longest_gap(self, since, until=None):
        return longest_gap(self.times(), since, now() if until is None else until)[0]

    def close(self):
        self.process.stop(signal.SIGTERM)


class Echo:
    """The service itself: a UDP echo on a node that says which node it is."""

    def __init__(self, node):
        self.process = node.start("echo", [node.lab.probe, "serve", ECHO_PORT, node.name])


class Noise:
    """What the machine itself adds: the same millisecond probe, from the client to the client."""

    def __init__(self, lab):
        if "noise-echo" not in lab.client.processes:
            lab.client.start("noise-echo", [lab.probe, "serve", ECHO_PORT, "client"])
        self.probe = Probe(lab, lab.client.address(), name="noise")
        self.probe.wait_answer()

    def longest(self, since, until=None):
        """ms for which nothing ran in time."""
        return self.probe.outage(since, until)

    def close(self):
        self.probe.close()


class Stalls:
    """When a processor stood still, whatever wanted to run: taken away by the host, or the kernel.
    A test that fails then is told apart from one that fails on a machine that runs."""

    def __init__(self, lab):
        self.recorders = [Recorder(lab.client, f"stalls-{cpu}",
                                   ["stalls", cpu, lab.fast / f"stalls-{cpu}.txt"],
                                   lab.fast / f"stalls-{cpu}.txt")
                          for cpu in sorted(os.sched_getaffinity(0))]

    def spans(self):
        return [(int(start) / 1e6, int(end) / 1e6)
                for recorder in self.recorders for start, end in recorder.lines()]

    def since(self, since):
        """[(from, ms)], the longest first."""
        return sorted(((start, round((end - start) * 1000)) for start, end in self.spans()
                       if end > max(since, start)), key=lambda span: -span[1])

    def total_s(self, since, until):
        """For how long any of them stood still in [since, until]: what waited then waited for the
        machine."""
        total, seen = 0.0, since
        for start, end in sorted(self.spans()):
            start, end = max(start, seen), min(end, until)
            total += max(end - start, 0.0)
            seen = max(seen, end)
        return total

    def excuse(self, event, ms, bound_ms):
        """Whether what an event complains of, the ms before it, would have been within a bound if
        the machine had not stood still meanwhile."""
        at = event["mono_us"] / 1e6
        return ms - self.total_s(at - ms / 1000, at) * 1000 <= bound_ms
