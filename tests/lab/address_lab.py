"""tests/lab/address_lab.py - what test_address.py needs: namespaces, the driver, a sniffer.

Its own small lab and not lab.py's: interfaces are renamed, removed and made again here.
"""

import ctypes
import os
import queue
import socket
import subprocess
import threading
import time

PREFIX = f"yad{os.getpid()}"
CLONE_NEWNET = 0x40000000
ETH_P_ALL, ETH_P_ARP, ETH_P_IPV6 = 3, 0x0806, 0x86DD


def run(*command, check=True):
    done = subprocess.run(command, capture_output=True, text=True)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def now_us():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def wait_until(condition, timeout, what):
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(0.002)


class Namespace:
    def __init__(self, name):
        self.name = f"{PREFIX}{name}"
        run("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *words, check=True):
        return run("ip", "-n", self.name, *words, check=check)

    def within(self, function):
        """Call function in the namespace; a socket that it returns stays there."""
        result = []

        def enter():
            libc = ctypes.CDLL(None, use_errno=True)
            with open(f"/run/netns/{self.name}") as handle:
                if libc.setns(handle.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            result.append(function())

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        return result[0]

    def has(self, address, dev="eth0"):
        return f" {address}/" in self.ip("addr", "show", "dev", dev)

    def mac(self, dev="eth0"):
        return self.ip("link", "show", "dev", dev).split("link/ether ")[1].split()[0]

    def neighbour(self, address):
        """(hardware address or None, state) of the cache entry; None: there is none."""
        words = self.ip("neigh", "show", address).split()
        if not words:
            return None
        mac = words[words.index("lladdr") + 1] if "lladdr" in words else None
        return mac, words[-1]

    def reaches(self, address):
        """A refused connection is an answer: somebody has the address."""
        def connect():
            with socket.socket(family(address), socket.SOCK_STREAM) as s:
                s.settimeout(0.2)
                try:
                    s.connect((address, 9))
                except ConnectionRefusedError:
                    return True
                except OSError:
                    return False
                return True
        return self.within(connect)


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Net:
    """The namespaces and the switch between them."""

    def __init__(self):
        self.spaces = {n: Namespace(n) for n in ("switch", "host", "client", "stranger")}
        for name, space in self.spaces.items():
            setattr(self, name, space)
        self.switch.ip("link", "add", "name", "bridge", "type", "bridge", "mcast_snooping", "0")
        self.switch.ip("link", "set", "bridge", "up")
        for number, name in ((1, "host"), (9, "client"), (13, "stranger")):
            self.connect(name, number)

    def connect(self, name, number):
        space = self.spaces[name]
        self.switch.ip("link", "add", "name", name, "type", "veth",
                       "peer", "eth0", "netns", space.name)
        self.switch.ip("link", "set", name, "master", "bridge", "up")
        space.ip("link", "set", "eth0", "up")
        space.ip("addr", "add", f"10.9.0.{number}/24", "dev", "eth0")
        space.ip("-6", "addr", "add", f"fd09::{number}/64", "dev", "eth0", "nodad")
        wait_until(lambda: "state UP" in space.ip("link", "show", "eth0"), 5, f"{name} is up")

    def remove(self):
        for name in ("switch", "host", "client", "stranger"):
            run("ip", "netns", "del", f"{PREFIX}{name}", check=False)


class Driver:
    def __init__(self, program, net, *addresses, refresh_ms=60000):
        capabilities = "-all,+net_admin,+net_raw"
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", net.host.name, "setpriv", "--reuid=nobody", "--regid=nogroup",
             "--clear-groups", f"--inh-caps={capabilities}", f"--ambient-caps={capabilities}",
             f"--bounding-set={capabilities}", program, str(refresh_ms), *addresses],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
        self.answers, self.notes = queue.Queue(), []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        assert self.answers.get(timeout=10) == "ready"

    def read(self):
        for line in self.process.stdout:
            words = line.split(None, 6)
            if words[0] == "note":
                self.notes.append({"at": int(words[1]), "type": words[2], "i": int(words[3]),
                                   "id": int(words[4]), "mac": words[5],
                                   "reason": words[6].strip() if len(words) > 6 else ""})
            else:
                self.answers.put(line.strip())

    def send(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def do(self, command):
        self.send(command)
        return self.answers.get(timeout=10)

    def ok(self, command):
        words = self.do(command).split()
        assert words[0] == "ok", " ".join(words)
        return int(words[1]), int(words[2])

    def has(self, i):
        return self.do(f"probe {i}").split()[3] == "yes"

    def types(self, i=0, since=0):
        return [n["type"] for n in self.notes[since:] if n["i"] == i]

    def wait(self, kind, i=0, since=0, timeout=5):
        return wait_until(lambda: next((n for n in self.notes[since:]
                                        if n["type"] == kind and n["i"] == i), None),
                          timeout, f"note {kind} of {i}; there are {self.notes[since:]}")

    def settle(self):
        """All events that happened until now have been read: a command's answer comes after."""
        self.do("probe 0")
        self.do("probe 0")

    def end(self):
        self.process.stdin.close()
        try:
            assert self.process.wait(10) == 0
        finally:
            self.process.kill()
            self.reader.join()


class Sniffer:
    """The claims for one address that arrive at the client, with the times of arrival."""

    def __init__(self, net, address):
        kind = ETH_P_IPV6 if ":" in address else ETH_P_ARP
        self.address = socket.inet_pton(family(address), address)
        self.v6 = ":" in address
        self.socket = net.client.within(
            lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(kind)))
        self.socket.settimeout(0.05)
        self.frames, self.done = [], False
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()

    def listen(self):
        while not self.done:
            try:
                frame = self.socket.recv(2000)
            except TimeoutError:
                continue
            at = now_us()
            if self.v6:
                if frame[20] == 58 and frame[54] == 136 and frame[62:78] == self.address:
                    self.frames.append((at, "advertisement", frame))
            elif frame[28:32] == self.address:
                self.frames.append((at, {1: "request", 2: "reply"}[frame[21]], frame))

    def end(self):
        self.done = True
        self.thread.join()
        self.socket.close()
