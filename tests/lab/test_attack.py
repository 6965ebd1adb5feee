"""A stranger on the private link: a frame that is not ours is counted by cause, without effect."""

import re
import socket
import struct
import subprocess

import pytest

from lab import now, wait_until

PORT = 4747
MAGIC_AT, VERSION_AT, KEY_AT, SENDER_AT, CLUSTER_AT, SEQUENCE_AT = 0, 4, 5, 6, 8, 24
HEADER_SIZE = 32


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Mallory:
    """Hears the red link as on a hub, and sends with anybody's address."""

    LISTEN = ("import socket,sys\n"
              "s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x800))\n"
              "s.bind(('red', 0x800))\n"
              "s.settimeout(5)\n"
              "while True:\n"
              "    b = s.recv(2048)\n"
              "    if b[9] == 17 and b[12:20] == bytes.fromhex(sys.argv[1]):\n"
              "        sys.stdout.write(b[28:int.from_bytes(b[2:4], 'big')].hex() + '\\n')\n"
              "        sys.stdout.flush()\n"
              "        break\n")
    SEND = ("import socket,sys\n"
            "s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)\n"
            "for line in sys.stdin:\n"
            "    s.sendto(bytes.fromhex(line.strip()), (sys.argv[1], 0))\n")

    def __init__(self, lab):
        self.lab, self.node = lab, lab.mallory

    def capture(self, source, target):
        """One frame from source to target, off the wire."""
        both = socket.inet_aton(source.address("red")) + socket.inet_aton(target.address("red"))
        return bytes.fromhex(self.node.run("/usr/bin/python3", "-c", self.LISTEN, both.hex()))

    def send(self, source, target, *payloads):
        """Datagrams that claim to come from source."""
        packets = []
        for payload in payloads:
            udp = struct.pack("!HHHH", PORT, PORT, 8 + len(payload), 0) + payload
            head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                               socket.inet_aton(source.address("red")),
                               socket.inet_aton(target.address("red")))
            head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
            packets.append((head + udp).hex())
        self.node.run("/usr/bin/python3", "-c", self.SEND, target.address("red"),
                      input="\n".join(packets) + "\n")


@pytest.fixture
def mallory(lab):
    lab.hub("red", True)
    yield Mallory(lab)
    lab.hub("red", False)


def refused(yoke):
    path = yoke.path("red")
    return {key[len("refused_"):]: value for key, value in path.items()
            if key.startswith("refused_")}


def change(frame, at, new):
    return frame[:at] + new + frame[at + len(new):]


def flip(frame, at):
    return change(frame, at, bytes([frame[at] ^ 0x41]))


def sequence_of(frame):
    return int.from_bytes(frame[SEQUENCE_AT:SEQUENCE_AT + 8], "big")


FORGERIES = {
    "length": lambda f: f[:HEADER_SIZE - 5],
    "version": lambda f: change(f, VERSION_AT, bytes([f[VERSION_AT] + 1])),
    "cluster": lambda f: flip(f, CLUSTER_AT),
    "sender": lambda f: change(f, SENDER_AT, b"\x00\x09"),
    "key": lambda f: flip(f, KEY_AT),
    # A sequence that was not there yet: an old one is refused before its seal is looked at.
    "seal": lambda f: change(f, SEQUENCE_AT, (sequence_of(f) + 10000).to_bytes(8, "big")),
    "replay": lambda f: f,
}


@pytest.mark.parametrize("cause", FORGERIES)
def test_forged_frame_is_counted_by_cause(lab, slow, owners, mallory, cause):
    frame = mallory.capture(lab.beta, lab.alpha)
    before = refused(slow.alpha)
    since = now()
    mallory.send(lab.beta, lab.alpha, *[FORGERIES[cause](frame)] * 10)
    wait_until(lambda: refused(slow.alpha)[cause] >= before[cause] + 10, 5,
               f"10 frames more refused for {cause}")
    after = refused(slow.alpha)
    others = {key: after[key] - before[key] for key in after if key != cause}
    assert not any(others.values()), f"counted under another cause, too: {others}"
    assert owners.takeovers(since) == 0


def test_frame_turned_back_to_its_sender(lab, slow, owners, mallory):
    """A reflected frame is authentic; it must not count as life of the peer."""
    frame = mallory.capture(lab.alpha, lab.beta)
    before = sum(refused(slow.alpha).values())
    mallory.send(lab.beta, lab.alpha, *[frame] * 5)
    wait_until(lambda: sum(refused(slow.alpha).values()) >= before + 5, 5, "all are refused")


def test_replay_does_not_hide_a_death(world, lab, slow, owners, mallory):
    """The stranger plays beta's old frames while beta has no power: alpha still says it is lost."""
    frames = [mallory.capture(lab.beta, lab.alpha) for _ in range(3)]
    lab.beta.power_cut()
    deadline = now() + 3
    while now() < deadline and slow.alpha.peer_state("beta") != "lost":
        mallory.send(lab.beta, lab.alpha, *frames * 5)
    assert slow.alpha.peer_state("beta") == "lost"


def test_a_silent_node_that_speaks_another_protocol(lab, slow, owners, mallory):
    """Nobody vouches for a frame that is laid out otherwise: an alarm with both versions, until
    the node is understood again, and nothing moves.  While it is heard, none."""
    frame = mallory.capture(lab.beta, lab.alpha)
    newer = change(frame, VERSION_AT, b"\x13")  # the oldest is 3, and one more
    seen, since = slow.alpha.last_event(), now()
    says = r"it speaks protocol 3 to 4, we \d"
    reason = f"node beta: {says}"
    before = refused(slow.alpha)["version"]
    mallory.send(lab.beta, lab.alpha, newer)
    wait_until(lambda: refused(slow.alpha)["version"] > before, 5, "it is refused")
    lab.beta.power_cut()
    wait_until(lambda: slow.alpha.peer_state("beta") == "lost", 5, "beta is lost")
    assert not slow.alpha.has_event("protocol_mismatch", seen)
    mallory.send(lab.beta, lab.alpha, newer)
    wait_until(lambda: slow.alpha.has_event("protocol_mismatch", seen), 5, "the alarm")
    event = slow.alpha.has_event("protocol_mismatch", seen)
    assert event["severity"] == "critical" and event["node_name"] == "beta", event
    assert re.match(says, event["reason"]), event
    assert re.search(reason, slow.alpha.cli("status").stdout)
    assert lab.owner() is lab.alpha and owners.takeovers(since) == 0
    lab.beta.power_on()
    slow.beta.start()
    slow.settle(lab.alpha)
    assert slow.alpha.has_event("protocol_agreed", seen)
    assert not re.search(reason, slow.alpha.cli("status").stdout)


def test_a_million_random_frames(lab, slow, owners):
    """No crash and no effect; the engine is the same process after as before."""
    engines = [slow[node].engine() for node in lab.pair]
    before = refused(slow.alpha)
    since = now()
    seen = slow.alpha.last_event()
    lab.mallory.run(lab.probe, "spray", lab.beta.address("red"), lab.alpha.address("red"), PORT,
                    1000000, timeout=60)
    # The kernel drops what the engine has no time for; that is a part of its defence.
    wait_until(lambda: sum(refused(slow.alpha).values()) > sum(before.values()) + 1000, 5,
               "refused frames are counted")
    assert [slow[node].engine() for node in lab.pair] == engines
    assert lab.owner() is lab.alpha and owners.takeovers(since) == 0
    assert not slow.alpha.has_event("node_lost", seen)
    slow.settle(lab.alpha)


def test_wrong_key_on_one_node(world, lab, slow):
    """Two nodes with different keys never meet, and say why."""
    slow.stop()
    key = slow.beta.key_file.read_text().strip()
    try:
        slow.beta.write_key("0123456789abcdef" * 4)
        slow.alpha.start()
        slow.beta.start()
        wait_until(lambda: refused(slow.alpha)["seal"] > 10, 10, "frames refused for their seal")
        assert slow.alpha.path("red")["state"] == "noPeer"
    finally:
        slow.beta.leave()
        slow.beta.write_key(key)
        slow.beta.start()
    slow.settle()


def test_key_file_that_others_can_read_is_refused(lab, slow):
    slow.beta.leave()
    slow.beta.key_file.chmod(0o644)
    try:
        done = subprocess.run([slow.beta.bin / "yoked", "--config", slow.beta.config, "--node",
                               "beta"], capture_output=True, text=True, timeout=10, check=False)
        assert done.returncode != 0
        assert "chmod" in done.stderr and str(slow.beta.key_file) in done.stderr
    finally:
        slow.beta.key_file.chmod(0o600)


@pytest.mark.slow
def test_refused_frames_are_one_line_a_minute(lab, slow, owners, mallory):
    """Thirty forged frames are an alarm, and one for the whole minute."""
    frame = mallory.capture(lab.beta, lab.alpha)
    seen = slow.alpha.last_event()
    for _ in range(3):
        mallory.send(lab.beta, lab.alpha, *[flip(frame, CLUSTER_AT)] * 10)
    wait_until(lambda: slow.alpha.has_event("frames_refused", seen), 70, "the alarm")
    told = [e for e in slow.alpha.events(seen) if e["kind"] == "frames_refused"]
    assert len(told) == 1 and told[0]["value"] >= 20, told
    assert "cluster" in told[0]["reason"]
