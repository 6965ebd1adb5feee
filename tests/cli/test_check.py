"""tests/cli/test_check.py - what `yoke check` says of arbiters and of exclusive groups."""

import os
import re
import socket
import stat
import subprocess

import pytest

from test_cli import SAMPLES, YOKE, yoke

PAIR = """cluster {{ name = "shop"  {cluster} }}
node "alpha" {{ path "red" {{ address = "10.1.0.1" }}  path "blue" {{ address = "10.2.0.1" }} }}
node "beta" {{ path "red" {{ address = "10.1.0.2" }}  path "blue" {{ address = "10.2.0.2" }} }}
group "db" {{
	{group}
	resource "r" {{ type = address  address = "192.0.2.1/24"  interface = "eth0" }}
	resource "s" {{ type = script  program = "/bin/true"  start_timeout_ms = 1500
		stop_timeout_ms = 3210 }}
}}
"""
FENCE = """arbiter "pdu" {{ type = fence  agent = "{agent}"  secret_file = "{secret}"
	timeout_ms = 4000  delay_ms = 500  victim "alpha" {{}}  victim "beta" {{}} }}
"""
LINE = """cluster {{ name = "shop"  dead_ms = {dead_ms} }}
node "alpha" {{ path "wire" {{ type = serial  device = "{device}"  baud = {baud} }} }}
node "beta" {{ path "wire" {{ type = serial  device = "{device}"  baud = {baud} }} }}
group "web" {{
	exclusive = no
	resource "r" {{ type = address  address = "192.0.2.1/24"  interface = "eth0" }}
}}
"""
PING = 'arbiter "gate" { type = ping  addresses = "192.0.2.9" }'
DISK = 'arbiter "quorum" {{ type = disk  device = "{device}" }}\n'


def check(place, arbiters="", cluster="", group=""):
    """What `yoke check` says of a pair with these arbiters; it finds no error."""
    file = place / "yoke.conf"
    file.write_text(PAIR.format(cluster=cluster, group=group) + arbiters)
    done = yoke("check", str(file))
    assert done.returncode == 0 and done.stderr == "", done.stdout
    return done.stdout


@pytest.mark.parametrize("arbiters, cluster, group, bounds", [
    ("", "", "", ["a dead owner waits for a person: yoke confirm-down"]),
    (PING, "", "", ["a dead owner waits for a person: yoke confirm-down"]),
    (DISK.format(device="/d"), "", "",
     ["a dead owner is replaced within 20.4 s: 1.0 detect + 2.1 lease + 14.6 stop"
      " + 0.2 probe + 2.5 start"]),
    (DISK.format(device="/d"), 'watchdog = "/dev/watchdog"  watchdog_ms = 1000  dead_ms = 300', "",
     ["a dead owner is replaced within 5.2 s: 0.3 detect + 1.1 lease + 1.1 stop"
      " + 0.2 probe + 2.5 start"]),
    (FENCE.format(agent="/bin/true", secret="/s"), "", "",
     ["a dead owner is replaced within 12.2 s: 1.0 detect + 0.5 delay + 8.0 fence"
      " + 0.2 probe + 2.5 start (when no fence arbiter fails)"]),
    (FENCE.format(agent="/bin/true", secret="/s") + DISK.format(device="/d"), "", "",
     ["a dead owner is replaced within 20.4 s: 1.0 detect + 2.1 lease + 14.6 stop"
      " + 0.2 probe + 2.5 start",
      "or by fencing within 12.2 s: 1.0 detect + 0.5 delay + 8.0 fence + 0.2 probe + 2.5 start"
      " (when no fence arbiter fails)"]),
    (DISK.format(device="/d"), "", "takeover = unproven",
     ["a dead owner is replaced within 3.5 s: 1.0 detect + 2.5 start, on silence alone"]),
    (DISK.format(device="/d"), "", 'nodes = { "alpha" }',
     ["a dead owner is not replaced: no other node may run it"]),
    ("", "", "exclusive = no", []),
    ("", "", "failover = manual", ["no fault moves it: a person does, with yoke switch"]),
    ("", "", 'exclusive = no  failback = auto  failback_ms = 7000  failback_window = "22:00-05:30"',
     ["goes back to alpha by itself, when that was fit for it for 7000 ms, between 22:00 and"
      " 05:30"]),
], ids=["none", "ping", "disk", "watchdog", "fence", "both", "unproven", "one-node", "shared",
        "manual", "failback"])
def test_check_says_how_long_a_failover_takes(place, arbiters, cluster, group, bounds):
    lines = check(place, arbiters, cluster, group).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("group db"))
    end = next(i for i, line in enumerate(lines) if line.startswith("  address r"))
    assert [line.strip() for line in lines[start + 1:end]] == bounds


HANGS = ("watchdog: none: a stop of an exclusive group that hangs is tried until it stops, and"
         " the\ngroup starts nowhere else before; a node that stands still is ")
NOT_RESET = HANGS + "reset by nothing:\nswitch it off before 'yoke confirm-down'\n"
SWITCHED_OFF = HANGS + "switched off by the\nother one\n"
WITH_LOCK = "1: warning: a lock but no watchdog: a node whose stop hangs"


@pytest.mark.parametrize("arbiters, cluster, group, cost", [
    ("", "", "", NOT_RESET),
    (PING, "", "", NOT_RESET),
    (FENCE.format(agent="/bin/true", secret="/s"), "", "", SWITCHED_OFF),
    (DISK.format(device="/d"), "", "", WITH_LOCK),
    (FENCE.format(agent="/bin/true", secret="/s") + DISK.format(device="/d"), "", "", WITH_LOCK),
    ("", 'watchdog = "/dev/watchdog"', "", None),
    (FENCE.format(agent="/bin/true", secret="/s"), 'watchdog = "/dev/watchdog"', "", None),
    (DISK.format(device="/d"), 'watchdog = "/dev/watchdog"', "", None),
    ("", "", "exclusive = no", None),
    ("", "", "takeover = unproven", None),
    ("", "", 'nodes = { "alpha" }', None),
], ids=["none", "ping", "fence", "disk", "both", "none-dog", "fence-dog", "disk-dog", "shared",
        "unproven", "one-node"])
def test_check_says_what_no_watchdog_costs(place, arbiters, cluster, group, cost):
    text = check(place, arbiters, cluster, group)
    assert [said for said in (NOT_RESET, SWITCHED_OFF, WITH_LOCK) if said in text] == (
        [cost] if cost else [])
    assert ("watchdog: none" in text) == (cost in (NOT_RESET, SWITCHED_OFF))


def test_check_describes_order_and_room(place):
    file = place / "yoke.conf"
    file.write_text(PAIR.format(cluster="", group="priority = 5") + """
group "pool" { mode = parallel  resource "p" { type = script  program = "/bin/true" } }
group "lesser" { exclusive = no  yields = yes  priority = 2  after = "pool"
	resource "l" { type = script  program = "/bin/true" } }
""")
    done = yoke("check", str(file))
    assert done.returncode == 0, done.stdout
    assert "group pool (parallel) runs on alpha and on beta\n" in done.stdout
    assert "script p: 3 restarts within 3600 s, then the group stops here\n" in done.stdout
    assert "script l: 3 restarts within 3600 s, then the group moves\n" in done.stdout
    assert "  starts after group pool\n" in done.stdout
    assert "  makes room for groups of a higher priority than 2\n" in done.stdout


def test_check_describes_arbiters(place):
    text = check(place, FENCE.format(agent="/bin/true", secret="/s") + DISK.format(device="/d")
                 + 'arbiter "third" { type = witness  address = "2001:db8::7" }\n'
                 + 'arbiter "gate" { type = ping  addresses = { "192.0.2.9", "192.0.2.8" } }\n',
                 cluster='watchdog = "/dev/watchdog"')
    assert "arbiter pdu (fence): /bin/true, level 1, switches off alpha, beta\n" in text
    assert "arbiter quorum (disk): /d\n" in text
    assert "arbiter third (witness): [2001:db8::7]:4748\n" in text
    assert "arbiter gate (ping): 192.0.2.9, 192.0.2.8\n" in text
    assert "lease: 2000 ms without renewal" in text
    assert "watchdog: /dev/watchdog resets the machine after 5000 ms\n" in text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root owns the file that it makes for root")
def test_check_looks_at_the_files_of_arbiters(place):
    agent, secret, device = place / "agent", place / "secret", place / "disk"

    def warnings(watchdog="/dev/null"):
        text = check(place, FENCE.format(agent=agent, secret=secret) + DISK.format(device=device),
                     cluster=f'watchdog = "{watchdog}"')
        found = re.findall(r":(\d+): warning: (arbiter \S+|watchdog): (.*)", text)
        return [f"{line} {what} {why}" for line, what, why in found if str(place) in why]

    assert warnings(place / "dog") == [
        f'10 arbiter "pdu" {agent} is not there', f'10 arbiter "pdu" {secret} is not there',
        f'12 arbiter "quorum" {device} is not there',
        f"1 watchdog {place}/dog is not there (modprobe softdog, if need be)"]
    for file in (agent, secret, device):
        file.mkdir()
    assert warnings(agent) == [
        f'10 arbiter "pdu" {agent} cannot be executed',
        f'10 arbiter "pdu" {secret} is not a regular file',
        f'12 arbiter "quorum" {device} is neither a disk nor a file',
        f"1 watchdog {agent} is no device"]
    for file in (agent, secret, device):
        file.rmdir()
        file.touch()
    agent.chmod(0o755)
    secret.chmod(0o640)
    assert warnings() == [
        f'10 arbiter "pdu" {secret} may be read by others than root: chmod 600 it']
    secret.chmod(0o600)
    assert warnings() == []
    os.chown(secret, 65534, 65534)
    assert warnings() == [f'10 arbiter "pdu" {secret} does not belong to root: chown root it']


def test_sample_arbiters_are_good_without_the_comment_signs(place):
    lines = (SAMPLES / "yoke.conf").read_text().splitlines()
    start = lines.index('# arbiter "pdu" {')
    end = next(i for i in range(start, len(lines)) if not lines[i])
    lines[start:end] = [line.removeprefix("#") for line in lines[start:end]]
    file = place / "yoke.conf"
    file.write_text("\n".join(lines) + "\n")
    done = yoke("check", str(file))
    assert done.returncode == 0, done.stdout
    assert re.findall(r"^arbiter (\w+) \((\w+)\)", done.stdout, re.M) == [
        ("pdu", "fence"), ("quorum", "disk"), ("third", "witness"), ("gate", "ping")]


def line_check(place, dead_ms, baud, device="/dev/ttyNONE"):
    file = place / "yoke.conf"
    file.write_text(LINE.format(dead_ms=dead_ms, baud=baud, device=device))
    return yoke("check", str(file))


@pytest.mark.parametrize("dead_ms, baud, text", [
    (2000, 9600, "heartbeat every 400 ms, as a quarter of its rate carries, late after 1000 ms;\n"
     "  when it is the only path that is up, every 800 ms while"),
    (1000, 19200, "heartbeat every 200 ms, as a quarter of its rate carries, late after 500 ms;\n"
     "  when it is the only path that is up, every 400 ms while"),
    (1000, 115200, "heartbeat every 100 ms, late after 500 ms;\n"
     "  when it is the only path that is up, every 200 ms while"),
])
def test_check_says_how_often_a_line_beats(place, dead_ms, baud, text):
    done = line_check(place, dead_ms, baud)
    assert done.returncode == 0, done.stdout
    assert f"alpha  /dev/ttyNONE at {baud} baud\n" in done.stdout
    assert f"path wire, {baud} baud: {text}" in done.stdout
    assert f"at most {dead_ms} ms after its last heartbeat" in done.stdout


def test_check_refuses_a_line_that_is_too_slow(place):
    done = line_check(place, 1000, 9600)
    assert done.returncode == 1
    assert ('2: error: path "wire": 9600 baud carries a heartbeat each 400 ms at most, and 3 of'
            " them must be in dead_ms = 1000: raise dead_ms to 1200, or baud to 19200"
            ) in done.stdout


def test_check_looks_at_the_line_of_this_node(place):
    host = os.uname().nodename.split(".")[0]
    file = place / "yoke.conf"
    text = LINE.format(dead_ms=2000, baud=9600, device="{}").replace('"alpha"', f'"{host}"')
    for device, doubt in (("/dev/ttyNONE", "is not there"), ("/etc/passwd", "is no terminal"),
                          ("/dev/console", "the kernel's console is on it")):
        file.write_text(text.replace("{}", device))
        done = yoke("check", str(file))
        assert done.returncode == 0, done.stdout
        assert f'2: warning: path "wire": {device}: {doubt}' in done.stdout


def test_sample_lines_are_good_without_the_comment_signs(place):
    lines = (SAMPLES / "yoke.conf").read_text().splitlines()
    inside = False
    for i, line in enumerate(lines):
        inside = inside or line in ('\t# path "wire" {', '\t# path "platter" {')
        if inside:
            lines[i] = line.replace("#", "", 1)
        inside = inside and line != "\t# }"
    file = place / "yoke.conf"
    file.write_text("\n".join(lines) + "\n")
    done = yoke("check", str(file))
    assert done.returncode == 0, done.stdout
    assert re.search(r"^path wire, 115200 baud: heartbeat every 100 ms, late", done.stdout, re.M)
    assert re.search(r"^path platter, on a disk: heartbeat every 200 ms, read", done.stdout, re.M)


PLATTER = """cluster {{ name = "shop"  key_file = "{key}"  dead_ms = {dead_ms} }}
node "{name}" {{ path "red" {{ address = "10.1.0.1" }}
	path "platter" {{ type = disk  device = "{device}"  interval_ms = {interval_ms} }} }}
node "other" {{ path "red" {{ address = "10.1.0.2" }}
	path "platter" {{ type = disk  device = "{device}"  interval_ms = {interval_ms} }} }}
group "web" {{
	exclusive = no
	resource "r" {{ type = address  address = "192.0.2.1/24"  interface = "eth0" }}
}}
"""


def platter_check(place, dead_ms=1000, interval_ms=200, device="/dev/NONE", name="alpha"):
    file = place / "yoke.conf"
    file.write_text(PLATTER.format(dead_ms=dead_ms, interval_ms=interval_ms, device=device,
                                   key=place / "key", name=name))
    return yoke("check", str(file))


def test_check_says_how_often_a_disk_beats(place):
    done = platter_check(place)
    assert done.returncode == 0, done.stdout
    assert "alpha  10.1.0.1:4747  /dev/NONE\n" in done.stdout
    assert ("path platter, on a disk: heartbeat every 200 ms, read every 66 ms, late after 500"
            " ms;\n  so a node's end is seen on it up to 66 ms later than on a path of type udp\n"
            ) in done.stdout
    assert "at most 1066 ms after its last heartbeat" in done.stdout


def test_check_of_a_disk_that_is_slow(place):
    done = platter_check(place, interval_ms=300)
    assert done.returncode == 0, done.stdout
    assert ('3: warning: path "platter": there is a heartbeat on the disk each 300 ms, and 5 of'
            " them should be in dead_ms = 1000: lower interval_ms to 200, or raise dead_ms to 1500;"
            ' it is all that is left without path "red", and a node\'s end is seen on it up to'
            " 100 ms later") in done.stdout
    done = platter_check(place, interval_ms=400)
    assert done.returncode == 1
    assert ("and 3 of them must be in dead_ms = 1000: lower interval_ms to 333, or raise dead_ms to"
            " 1200") in done.stdout


def test_check_looks_at_the_disk_of_this_node(place):
    """Made ready by `yoke disk init`, by an older one, by nobody."""
    host = os.uname().nodename.split(".")[0]
    key, disk = place / "key", place / "disk"
    key.touch(0o600)
    key.write_text("00" * 32 + "\n")

    def doubts():
        done = platter_check(place, device=disk, name=host)
        assert done.returncode == 0, done.stdout
        return re.findall(r"3: warning: path .platter.: \S+: (.*)", done.stdout)

    assert doubts() == ["is not there"]
    disk.write_bytes(bytes(4096 * 9))
    assert doubts() == ["it is not made ready: 'yoke disk init' does that"]
    subprocess.run([YOKE, "disk", "init", disk], check=True, timeout=10,
                   env={**os.environ, "YOKE_CONF": str(place / "yoke.conf")})
    assert doubts() == []
    block = bytearray(disk.read_bytes())
    block[4] = 1
    disk.write_bytes(block)
    assert doubts() == ["an older yoke made it ready, for no heartbeats: 'yoke disk init --force'"]
    disk.write_bytes(block[:100])
    assert doubts() == ["cannot be read"]


PATHS = """cluster {{ name = "shop" {cluster} }}
node "{name}" {{ path "one" {{ {one} }}  path "two" {{ {two} }} }}
node "other" {{ path "one" {{ address = "10.1.0.2" {role} }}
	path "two" {{ address = "10.2.0.2" }} }}
group "web" {{
	exclusive = no
	resource "r" {{ type = address  address = "192.0.2.1/24"  interface = "eth0" }}
}}
"""


def test_check_tells_how_rare_a_public_path_is(place):
    file = place / "yoke.conf"
    role = "role = public"
    file.write_text(PATHS.format(cluster="dead_ms = 500", name="alpha", role=role,
                                 one=f'address = "10.1.0.1"  {role}', two='address = "10.2.0.1"'))
    done = yoke("check", str(file))
    assert done.returncode == 0, done.stdout
    assert ("path one, public: heartbeat every 500 ms while a private path of type udp is up\n"
            in done.stdout)
    file.write_text(file.read_text().replace(role, "", 1))
    done = yoke("check", str(file))
    assert done.returncode == 1
    assert "it has one role" in done.stdout


WIRE = 'type = serial  device = "{}"'


def ends(place, one, two):
    """What is said of two lines of this node, each at its device."""
    file = place / "yoke.conf"
    text = PATHS.format(cluster="dead_ms = 2000", name=socket.gethostname().split(".")[0], role="",
                        one=WIRE.format(one), two=WIRE.format(two))
    for path, device in ((1, "/dev/ttyOTHER1"), (2, "/dev/ttyOTHER2")):
        text = text.replace(f'address = "10.{path}.0.2"', WIRE.format(device))
    file.write_text(text)
    done = yoke("check", str(file))
    assert done.returncode == 0, done.stdout
    return re.findall(r':2: warning: paths "one" and "two": (.*)', done.stdout)


def test_check_finds_one_device_under_two_names(place):
    pairs = [os.openpty() for _ in range(2)]
    ttys = [os.ttyname(tty) for _, tty in pairs]
    link, node = place / "by-id", place / "node"
    link.symlink_to(ttys[0])
    try:
        assert ends(place, *ttys) == []
        assert ends(place, ttys[1], link) == []
        assert ends(place, ttys[0], link) == [
            f"{ttys[0]} and {link} are one device: each needs its own"]
        if os.geteuid() == 0:
            os.mknod(node, stat.S_IFCHR | 0o600, os.stat(ttys[0]).st_rdev)
            assert ends(place, link, node) == [
                f"{link} and {node} are one device: each needs its own"]
        link.unlink()
        assert ends(place, ttys[0], link) == []
        assert ends(place, "/dev/ttyNONE", link) == []
    finally:
        for end in (end for pair in pairs for end in pair):
            os.close(end)


@pytest.fixture
def space():
    """A network namespace with a bridge, br0, which goes over eth0, and a card beside, eth1."""
    if os.geteuid() != 0:
        pytest.skip("only root makes network namespaces")
    name = f"yoke-cli-{os.getpid()}"

    def ip(*words):
        subprocess.run(["ip", *words], check=True)
    ip("netns", "add", name)
    try:
        ip("-n", name, "link", "add", "br0", "type", "bridge")
        for card in ("eth0", "eth1"):
            ip("-n", name, "link", "add", card, "type", "veth", "peer", "name", f"{card}-far")
        ip("-n", name, "link", "set", "eth0", "master", "br0")
        ip("-n", name, "address", "add", "10.1.0.1/24", "dev", "br0")
        yield name
    finally:
        ip("netns", "del", name)


@pytest.mark.parametrize("two, shared", [("eth0", "eth0"), ("eth1", None)])
def test_check_finds_what_paths_share_below_them(place, space, two, shared):
    """The first path says by its address alone that it goes over the bridge."""
    file = place / "yoke.conf"
    name = socket.gethostname().split(".")[0]
    file.write_text(PATHS.format(cluster="", name=name, role="", one='address = "10.1.0.1"',
                                 two=f'address = "10.2.0.1"  interface = "{two}"'))
    done = subprocess.run(["ip", "netns", "exec", space, YOKE, "check", str(file)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    found = re.findall(r':2: warning: paths "one" and "two" both go over (\S+): one fault ends',
                       done.stdout)
    assert found == ([shared] if shared else [])
