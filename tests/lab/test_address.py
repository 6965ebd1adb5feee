"""tests/lab/test_address.py - agent/address.c on a real kernel: start, announce, ask, notice.

Three namespaces on one switch: host (where the driver runs, as an ordinary user with the engine's
two network capabilities), client, and a stranger who takes addresses that are not his.

    /usr/bin/python3 -m pytest tests/lab/test_address.py -s     # -s shows the measured times
"""

import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from address_lab import (ETH_P_ALL, ETH_P_ARP, Driver, Net, Sniffer, family,  # noqa: E402
                         now_us, run, wait_until)

TOP = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ["tests/lab/address_driver.c", "agent/address.c", "agent/address_watch.c",
           "agent/address_socket.c", "agent/announce.c", "agent/netlink.c", "agent/base/buf.c",
           "agent/base/log.c"]
FLAGS = os.environ.get("ADDRESS_CFLAGS", "-O1 -g -fsanitize=address,undefined").split()
V4, V6 = "10.9.0.100", "fd09::100"
HOST4 = "10.9.0.1"
BURST_MS = [0, 10, 50, 200, 500, 1000, 2000, 3500, 5000]
ECHO_PORT = 4009
IP_FREEBIND, IPV6_FREEBIND = 15, 78
both = pytest.mark.parametrize("address", [V4, V6])

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces: needs root")


@pytest.fixture(scope="session")
def program():
    with tempfile.TemporaryDirectory(prefix="yoke-address-") as folder:
        os.chmod(folder, 0o755)
        out = f"{folder}/address_driver"
        run(os.environ.get("CC", "gcc"), "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
            "-include", str(TOP / "agent/base/banned.h"), f"-I{TOP}", *FLAGS, "-o", out,
            *(str(TOP / source) for source in SOURCES), "-lmnl")
        yield out


@pytest.fixture
def net():
    made = Net.__new__(Net)
    try:
        made.__init__()
        yield made
    finally:
        made.remove()


@pytest.fixture
def start(program, net):
    drivers = []

    def begin(*addresses, **options):
        addresses = addresses or (f"{V4}/24@eth0", f"{V6}/64@eth0")
        drivers.append(Driver(program, net, *addresses, **options))
        return drivers[-1]

    yield begin
    for driver in drivers:
        driver.end()


def index(address):
    return 1 if ":" in address else 0


@both
def test_start_is_answered_and_replaces_a_stale_cache_entry(net, start, address):
    driver = start()
    prefix = f"{address}/{64 if ':' in address else 24}"
    net.stranger.ip("addr", "add", prefix, "dev", "eth0", *(["nodad"] if ":" in address else []))
    wait_until(lambda: net.client.reaches(address), 5, "the former owner answers")
    assert net.client.neighbour(address)[0] == net.stranger.mac()
    net.stranger.ip("addr", "del", prefix, "dev", "eth0")
    i = index(address)
    driver.ok(f"start {i}")
    wait_until(lambda: net.client.neighbour(address)[0] == net.host.mac(), 1,
               "the announcement replaced the entry")
    assert net.client.reaches(address)
    assert driver.has(i)
    driver.ok(f"stop {i}")
    assert not net.host.has(address)
    assert not driver.has(i)
    assert driver.types(i) == ["usable"]


@both
def test_client_is_served_within_milliseconds(net, start, address):
    driver = start()

    def echo():
        s = socket.socket(family(address), socket.SOCK_DGRAM)
        if ":" in address:
            s.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        else:
            s.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        s.bind((address, ECHO_PORT))
        s.settimeout(0.05)
        return s

    server = net.host.within(echo)
    client = net.client.within(lambda: socket.socket(family(address), socket.SOCK_DGRAM))
    client.settimeout(0.001)
    replies, done = [], threading.Event()

    def serve():
        while not done.is_set():
            try:
                data, peer = server.recvfrom(100)
                server.sendto(data, peer)
            except OSError:
                pass

    def ask():
        while not done.is_set():
            try:
                client.sendto(b"?", (address, ECHO_PORT))
                client.recv(100)
                replies.append(now_us())
            except OSError:
                pass

    threads = [threading.Thread(target=f) for f in (serve, ask)]
    for thread in threads:
        thread.start()
    times, costs = [], []
    try:
        for _ in range(15):
            driver.ok(f"stop {index(address)}")
            wait_until(lambda: now_us() - (replies[-1] if replies else 0) > 20000, 5, "silence")
            replies.clear()
            at, took = driver.ok(f"start {index(address)}")
            wait_until(lambda: replies, 2, "a reply")
            times.append(replies[0] - at)
            costs.append(took)
    finally:
        done.set()
        for thread in threads:
            thread.join()
        server.close()
        client.close()
    times.sort()
    costs.sort()
    print(f"\n{address}: start with first announcement: median {costs[7]} us, worst {costs[-1]} us;"
          f" start to a client's reply: median {times[7]} us, worst {times[-1]} us")
    assert times[7] < 10000


@both
def test_burst_is_spread_over_five_seconds_then_refreshes(net, start, address):
    driver = start(refresh_ms=700)
    sniffer = Sniffer(net, address)
    forms = ["advertisement"] if ":" in address else ["request", "reply"]
    try:
        began, _ = driver.ok(f"start {index(address)}")
        wait_until(lambda: len(sniffer.frames) >= (len(BURST_MS) + 2) * len(forms), 9, "frames")
        driver.ok(f"stop {index(address)}")
        frames = list(sniffer.frames)
        for n, due in enumerate(BURST_MS + [5700, 6400]):
            for at, form, frame in frames[n * len(forms):(n + 1) * len(forms)]:
                assert form in forms
                assert due - 1 <= (at - began) / 1000 < due + 100, f"step {n}"
                want = "33:33:00:00:00:01" if ":" in address else "ff:ff:ff:ff:ff:ff"
                assert frame[:6].hex(":") == want
                assert frame[6:12].hex(":") == net.host.mac()
        assert [f[1] for f in frames[:len(forms)]] == forms
        # the next would be due 700 ms later; an address that is stopped is not announced
        began, _ = driver.ok(f"start-quiet {index(address)}")
        count = len(sniffer.frames)
        assert count == len(frames)
        wait_until(lambda: now_us() - began > 1000000, 3, "a second without announcements")
        assert len(sniffer.frames) == count
        driver.ok(f"announce {index(address)}")
        wait_until(lambda: len(sniffer.frames) >= count + 3 * len(forms), 2, "a burst again")
    finally:
        sniffer.end()


@both
def test_conflict_names_the_stranger(net, start, address):
    driver = start()
    net.stranger.ip("addr", "add", f"{address}/{64 if ':' in address else 24}", "dev", "eth0",
                    *(["nodad"] if ":" in address else []))
    at, _ = driver.ok(f"prepare {index(address)} 7 200")
    note = driver.wait("answered", index(address))
    assert (note["id"], note["mac"]) == (7, net.stranger.mac())
    assert note["at"] - at < 100000
    # nobody's cache may learn of us from a question
    assert net.stranger.neighbour(address) is None
    assert "done" not in driver.types(index(address))


@both
def test_an_answer_that_waited_is_not_missed_by_a_late_tick(net, start, address):
    driver = start()
    net.stranger.ip("addr", "add", f"{address}/{64 if ':' in address else 24}", "dev", "eth0",
                    *(["nodad"] if ":" in address else []))
    driver.send(f"prepare {index(address)} 8 30\npause 120")
    assert driver.wait("answered", index(address))["id"] == 8
    assert "done" not in driver.types(index(address))


@both
@pytest.mark.parametrize("timeout_ms", [15, 200])
def test_silence_ends_at_the_deadline(net, start, address, timeout_ms):
    driver = start()
    sniffer = net.client.within(
        lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)))
    sniffer.settimeout(0.1)
    i = index(address)
    at, _ = driver.ok(f"prepare {i} 9 {timeout_ms}")
    note = driver.wait("done", i)
    assert note["id"] == 9
    assert timeout_ms * 1000 <= note["at"] - at < timeout_ms * 1000 + 20000
    packed, probes = socket.inet_pton(family(address), address), []
    try:
        while True:
            frame = sniffer.recv(2000)
            if packed in (frame[38:42], frame[62:78]) and frame[6:12].hex(":") == net.host.mac():
                probes.append(frame)
    except TimeoutError:
        pass
    sniffer.close()
    assert len(probes) == 3
    if ":" in address:
        assert probes[0][:6].hex(":") == "33:33:ff:00:01:00" and probes[0][22:38] == bytes(16)
    else:
        assert probes[0][28:32] == bytes(4)
    # and an address of our own does not answer ourselves
    driver.ok(f"start {i}")
    driver.ok(f"prepare {i} 10 15")
    wait_until(lambda: driver.types(i).count("done") == 2, 5, "the second silence")
    assert "answered" not in driver.types(i)


def test_another_probe_and_a_replaced_or_cancelled_one(net, start):
    driver = start()
    stranger = net.stranger.within(
        lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ARP)))
    stranger.bind(("eth0", ETH_P_ARP))
    mac = bytes.fromhex(net.stranger.mac().replace(":", ""))
    probe = (b"\xff" * 6 + mac + b"\x08\x06" + struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + mac
             + bytes(4) + bytes(6) + socket.inet_aton(V4))
    driver.ok("prepare 0 20 1000")
    driver.ok("prepare 0 21 1000")
    stranger.send(b"\xff" * 12 + b"\x08\x06" + b"garbage")
    stranger.send(probe)
    note = driver.wait("answered")
    assert (note["id"], note["mac"]) == (21, net.stranger.mac())
    since = len(driver.notes)
    driver.ok("prepare 0 22 30")
    driver.ok("cancel 22")
    driver.ok("cancel 22")
    driver.ok("prepare 1 23 60")
    driver.wait("done", 1, since)
    stranger.send(probe)
    driver.settle()
    assert driver.types(0, since) == []
    # IPv6: a stranger's own duplicate address detection, seen through the group that was joined
    driver.ok("prepare 1 24 3000")
    net.stranger.ip("addr", "add", f"{V6}/64", "dev", "eth0")
    note = driver.wait("answered", 1, since)
    assert (note["id"], note["mac"]) == (24, net.stranger.mac())
    stranger.close()


def test_our_other_interface_is_no_stranger(net, start):
    """A second interface on the same switch answers for addresses of the first one."""
    net.switch.ip("link", "add", "host1", "type", "veth", "peer", "eth1", "netns", net.host.name)
    net.switch.ip("link", "set", "host1", "master", "bridge", "up")
    net.host.ip("link", "set", "eth1", "up")
    net.host.ip("addr", "add", f"{V4}/32", "dev", "eth1")
    driver = start()
    driver.ok("prepare 0 30 60")
    driver.wait("done")
    assert driver.types() == ["usable", "done"]


@both
def test_start_and_stop_twice(net, start, address):
    driver, i = start(), index(address)
    driver.ok(f"stop {i}")
    for _ in range(2):
        driver.ok(f"start {i}")
    assert net.host.has(address)
    for _ in range(2):
        driver.ok(f"stop {i}")
    assert not net.host.has(address)
    for _ in range(20):  # nothing that we did ourselves comes back as news
        driver.ok(f"start {i}")
        driver.ok(f"stop {i}")
        driver.ok(f"start {i}")
    driver.settle()
    assert driver.types(i) == ["usable"]


@both
def test_stop_removes_it_in_every_prefix_length(net, start, address):
    """IPv4 can be there twice; IPv6 once, and a start leaves it as it is."""
    net.host.ip("addr", "add", f"{address}/{128 if ':' in address else 32}", "dev", "eth0")
    driver, i = start(), index(address)
    driver.ok(f"start {i}")
    driver.ok(f"stop {i}")
    assert not net.host.has(address)


@both
def test_removal_is_told_and_not_repaired(net, start, address):
    driver, i = start(), index(address)
    driver.ok(f"start {i}")
    before = now_us()
    net.host.ip("addr", "del", f"{address}/{64 if ':' in address else 24}", "dev", "eth0")
    assert driver.wait("lost", i)["at"] - before < 1000000
    driver.settle()
    assert not net.host.has(address)
    assert driver.types(i) == ["usable", "lost"]
    driver.ok(f"start {i}")
    assert net.host.has(address)
    net.host.ip("addr", "flush", "dev", "eth0")
    wait_until(lambda: driver.types(i).count("lost") == 2, 5, "lost again")


def test_what_runs_is_adopted_and_watched(net, start):
    first = start()
    first.ok("start 0")
    second = start(refresh_ms=0)
    assert second.has(0) and not second.has(1)
    net.host.ip("addr", "del", f"{V4}/24", "dev", "eth0")
    second.wait("lost")


def test_the_hosts_own_address_survives(net, start):
    """Ours was there first, so it is the primary of its subnet, and is taken off."""
    net.host.ip("addr", "del", f"{HOST4}/24", "dev", "eth0")
    driver = start()
    driver.ok("start 0")
    net.host.ip("addr", "add", f"{HOST4}/24", "dev", "eth0")
    assert "secondary" in net.host.ip("addr", "show", "dev", "eth0")
    driver.ok("stop 0")
    assert net.host.has(HOST4) and not net.host.has(V4)
    assert net.client.reaches(HOST4)
    # the other way: the host's own goes, ours stays
    driver.ok("start 0")
    net.host.ip("addr", "del", f"{HOST4}/24", "dev", "eth0")
    driver.settle()
    assert net.host.has(V4) and net.client.reaches(V4)
    assert driver.types() == ["usable"]


@both
def test_carrier_goes_and_returns(net, start, address):
    driver, i = start(), index(address)
    driver.ok(f"start {i}")
    net.switch.ip("link", "set", "host", "down")
    assert driver.wait("unusable", i)["reason"] == "interface eth0 has no carrier"
    assert driver.do(f"start {i}") == "no interface eth0 has no carrier"
    assert driver.do(f"prepare {i} 40 50") == "no interface eth0 has no carrier"
    since = len(driver.notes)
    net.switch.ip("link", "set", "host", "up")
    wait_until(lambda: driver.do(f"start {i}").startswith("ok"), 5, "the carrier is back")
    wait_until(lambda: "usable" in driver.types(i, since), 5, "that is told")
    wait_until(lambda: net.client.reaches(address), 5, "it answers")


@both
def test_doubt_after_the_carrier_was_away(net, start, address):
    driver, i = start(), index(address)
    driver.ok(f"start {i}")
    net.switch.ip("link", "set", "host", "down")
    driver.wait("unusable", i)
    net.switch.ip("link", "set", "host", "up")
    driver.wait("doubt", i)
    driver.settle()
    assert driver.types(i) == ["usable", "unusable", "usable", "doubt"]
    # so short that the driver only sees that all is well: the counter tells
    driver.send("pause 200")
    net.switch.ip("link", "set", "host", "down")
    net.switch.ip("link", "set", "host", "up")
    wait_until(lambda: driver.types(i).count("doubt") == 2, 5, "doubt again")


def test_interface_set_down(net, start):
    """IPv4 stays on it, IPv6 is flushed: lost, told when it can be put back."""
    driver = start()
    driver.ok("start 0")
    driver.ok("start 1")
    net.host.ip("link", "set", "eth0", "down")
    for i in (0, 1):
        assert driver.wait("unusable", i)["reason"] == "interface eth0 is down"
    net.host.ip("link", "set", "eth0", "up")
    driver.wait("doubt", 0)
    driver.wait("lost", 1)
    assert driver.types(0)[0] == driver.types(1)[0] == "usable"
    assert driver.types(0)[-2:] == ["usable", "doubt"]
    assert driver.types(1)[-2:] == ["usable", "lost"]
    driver.ok("start 1")
    wait_until(lambda: net.client.reaches(V6), 5, "it answers")


@both
def test_interface_removed_and_made_again(net, start, address):
    driver, i = start(), index(address)
    driver.ok(f"start {i}")
    net.host.ip("link", "del", "eth0")
    assert driver.wait("unusable", i)["reason"] == "interface eth0 does not exist"
    assert driver.do(f"start {i}") == "no interface eth0 does not exist"
    driver.ok(f"stop {i}")
    since = len(driver.notes)
    net.connect("host", 1)
    assert driver.wait("usable", i, since)["mac"] == net.host.mac()
    driver.ok(f"start {i}")
    assert net.client.reaches(address)
    net.host.ip("link", "del", "eth0")
    wait_until(lambda: driver.types(i, since).count("unusable") >= 1
               and "not exist" in driver.notes[-1]["reason"], 5, "gone again")
    since = len(driver.notes)
    net.connect("host", 1)
    driver.wait("lost", i, since)
    assert driver.types(i, since)[-2:] == ["usable", "lost"]


def test_interface_renamed(net, start):
    driver = start()
    driver.ok("start 0")
    net.host.ip("link", "set", "eth0", "down")
    net.host.ip("link", "set", "eth0", "name", "other")
    net.host.ip("link", "set", "other", "up")
    wait_until(lambda: any("not exist" in n["reason"] for n in driver.notes), 5, "no eth0")
    assert net.host.has(V4, "other")
    driver.ok("stop 0")
    assert not net.host.has(V4, "other")


def test_new_hardware_address(net, start):
    driver = start()
    driver.ok("start 0")
    net.host.ip("link", "set", "eth0", "address", "02:00:00:00:00:77")
    wait_until(lambda: [n["mac"] for n in driver.notes if n["type"] == "usable" and n["i"] == 0]
               [-1] == "02:00:00:00:00:77", 5, "it is told")
    driver.wait("doubt")
    driver.ok("announce 0")
    assert net.client.reaches(V4)
    wait_until(lambda: net.client.neighbour(V4)[0] == "02:00:00:00:00:77", 1, "it is announced")


def test_ipv6_duplicate_is_lost_and_made_anew(net, start):
    """Somebody puts ours on without nodad; the kernel finds a duplicate and mutes it."""
    net.stranger.ip("addr", "add", f"{V6}/64", "dev", "eth0", "nodad")
    net.host.ip("addr", "add", f"{V6}/64", "dev", "eth0")
    wait_until(lambda: "dadfailed" in net.host.ip("addr", "show", "dev", "eth0"), 10, "dadfailed")
    driver = start()
    assert not driver.has(1)
    driver.ok("start 1")
    driver.settle()
    line = next(s for s in net.host.ip("addr", "show", "dev", "eth0").splitlines() if V6 in s)
    assert "dadfailed" not in line and "tentative" not in line
    driver.ok("stop 1")
    assert not net.host.has(V6)


def test_many_addresses_and_lost_events(net, start):
    """128 addresses on three descriptors; a flood while the driver sleeps."""
    addresses = [f"10.9.1.{n}/16@eth0" for n in range(1, 65)]
    addresses += [f"fd09::1:{n:x}/64@eth0" for n in range(1, 65)]
    driver = start(*addresses)
    _, took = driver.ok("start-all")
    print(f"\n128 addresses started and announced in {took} us")
    assert driver.has(0) and driver.has(127)
    links = [os.readlink(f"/proc/{driver.process.pid}/fd/{n}")
             for n in os.listdir(f"/proc/{driver.process.pid}/fd")]
    assert sum("socket" in link for link in links) == 4
    driver.send("pause 2500")
    flood = "".join(f"addr {verb} 10.77.{n // 250}.{n % 250 + 1}/32 dev lo\n"
                    for n in range(15000) for verb in ("add", "del"))
    subprocess.run(["ip", "-n", net.host.name, "-batch", "-"], input=flood, text=True, check=True)
    net.host.ip("addr", "del", "10.9.1.64/16", "dev", "eth0")
    driver.wait("lost", 63, timeout=10)
    driver.answers.get(timeout=5)
    _, took = driver.ok("stop-all")
    print(f"128 addresses stopped in {took} us")
    assert "10.9.1." not in net.host.ip("addr") and "fd09::1:" not in net.host.ip("addr")
    assert [n for n in driver.notes if n["type"] == "lost" and n["i"] != 63] == []


def test_refused_without_the_capability(net, program):
    done = subprocess.run(["ip", "netns", "exec", net.host.name, "setpriv", "--reuid=nobody",
                           "--clear-groups", "--bounding-set=-all", program, "0", f"{V4}/24@eth0"],
                          capture_output=True, text=True,
                          env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    assert done.returncode == 1
    assert "CAP_NET_RAW" in done.stderr


def test_bad_interface_name(net, program):
    done = subprocess.run([program, "0", f"{V4}/24@a-name-that-is-too-long"], capture_output=True,
                          text=True)
    assert done.returncode == 1
    assert "1 to 15 characters" in done.stderr
