"""tests/lab/courier.py - a root that speaks to the other node's courier himself: what `yoke config`
does not let through, and what a stranger without the key would try."""

import hashlib
import hmac
import os
import struct

from lab import now, wait_until

ASK, ANSWER = 1, 2
GET, PUT = 1, 2
MORE, DONE, REFUSED, UNKNOWN = 1, 2, 3, 4
LABEL = b"yoke config push 2"
HEADER = struct.Struct(">BBIIIIB")


def seal(key, nonce, node, shown, text):
    """As conf_push_sealed() and hb_seal_mac() do: a key derived by HKDF, then an HMAC."""
    first = hmac.new(b"\0" * 32, bytes.fromhex(key), hashlib.sha256).digest()
    derived = hmac.new(first, LABEL + b"\1", hashlib.sha256).digest()
    sealed = nonce.encode() + node.encode() + b"\0" + hashlib.sha256(shown).digest() + text
    return hmac.new(derived, sealed, hashlib.sha256).hexdigest()


class Courier:
    """Asks from one node (its Yoke) another one by its name."""

    def __init__(self, yoke, node):
        self.yoke, self.node = yoke, node
        self.shown = ""

    def turn(self, verb, number, taken, offset, total, data):
        """One piece there; returns its answer."""
        before = self.yoke.ask({"do": "piece", "node": self.node, "piece": ""})["heard"]
        piece = HEADER.pack(ASK, verb, number, taken, offset, total, 0) + data
        asked = [0.0]

        def answered():
            if now() - asked[0] > 1:
                asked[0] = now()
                self.yoke.ask({"do": "piece", "node": self.node, "piece": piece.hex()})
            got = self.yoke.ask({"do": "piece", "node": self.node, "piece": ""})
            return got["heard"] != before and bytes.fromhex(got["piece"])
        got = wait_until(answered, 20, "an answer")
        return HEADER.unpack(got[:HEADER.size]), got[HEADER.size:]

    def talk(self, verb, text=b"", size=300):
        """A whole transfer; returns state and what came back."""
        number = int.from_bytes(os.urandom(3), "big") + 1
        came, sent = b"", 0
        while True:
            head, data = self.turn(verb, number, len(came), sent, len(text),
                                   text[sent:sent + size])
            _, _, _, sent, offset, total, state = head
            if offset == len(came):
                came += data
            if state != MORE and len(came) == total:
                return state, came.decode()

    def get(self):
        """Returns nonce, "same" or "other", name, text."""
        state, came = self.talk(GET)
        assert state == DONE, came
        first, name, text = came.split("\n", 2)
        self.shown = text
        return (*first.split(), name, text)

    def put(self, key, nonce, text, node=None, shown=None):
        """Sealed for the node, and for what it showed last; or for another one."""
        sealed = seal(key, nonce, node or self.node, (shown or self.shown).encode(), text.encode())
        return self.talk(PUT, sealed.encode() + b"\n" + text.encode())
