#!/usr/bin/env python3
"""Reads the streams of Tests/StreamsTests/Vectors/streams.json as Documentation/Streams.md says, with nothing of Murmuration's code.

    pip install cryptography
    python3 Examples/streams/read_stream.py Tests/StreamsTests/Vectors/streams.json
"""
import base64
import hashlib
import json
import struct
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

DOMAIN = b"murmur/stream/1 "


def derive(secret, label, more=b""):
    return HKDF(SHA256(), 32, None, DOMAIN + label + more).derive(secret)


def digest(data):
    return hashlib.sha256(data).digest()


def root_of(key, place, siblings):
    value = digest(b"\0" + key)
    for level, sibling in enumerate(siblings):
        value = digest(b"\1" + (sibling + value if place >> level & 1 else value + sibling))
    return value


class Bytes:
    """A walk over bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise ValueError("cut off")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, form):
        return struct.unpack(">" + form, self.take(struct.calcsize(">" + form)))[0]


class Reader:
    """A place in a stream, and the way on from there."""

    def __init__(self, pointer, side=b""):
        scan = Bytes(pointer)
        version, mode, self.height = scan.take(3)
        if version != 1:
            raise ValueError("a pointer of another version")
        self.masked, self.side = mode != 0, side if mode == 2 else b""
        self.number, self.root = scan.number("Q"), scan.take(32)
        self.ratchet = scan.take(32) if self.masked else b""

    def address(self):
        if self.masked:
            return derive(self.ratchet + self.side, b"address")
        return digest(DOMAIN + b"public address" + self.root + struct.pack(">H", self.leaf()))

    def leaf(self):
        return self.number % (1 << self.height)

    def read(self, data):
        address, body = self.address(), data[1:]
        if self.masked:
            if data[0] != 0x11:
                raise ValueError("not a masked message")
            key = derive(self.ratchet + self.side, b"key")
            body = ChaCha20Poly1305(key).decrypt(body[:12], body[12:], data[:1] + address)
        elif data[0] != 0x10:
            raise ValueError("not a public message")
        scan = Bytes(body)
        height, number, milliseconds = scan.number("B"), scan.number("Q"), scan.number("Q")
        key = scan.take(32)
        siblings = [scan.take(32) for _ in range(height)]
        following = scan.take(32), scan.take(32) if self.masked else b""
        payload = scan.take(scan.number("I"))
        signed, signature = body[: scan.at], scan.take(64)
        if height != self.height or number != self.number or scan.at != len(body):
            raise ValueError("it belongs elsewhere")
        if root_of(key, self.leaf(), siblings) != self.root:
            raise ValueError("its key is not in the tree")
        Ed25519PublicKey.from_public_bytes(key).verify(signature, DOMAIN + b"message" + self.root + address + signed)
        self.number += 1
        if self.leaf() == 0:
            self.root, self.ratchet = following
        elif self.masked:
            self.ratchet = derive(self.ratchet, b"next")
        return milliseconds, payload


def read_head(data, session, side=b""):
    tag, body = session, data[1:]
    if data[0] == 0x11:
        tag = derive(side, b"head tag", session)
        body = ChaCha20Poly1305(derive(side, b"head key", session)).decrypt(body[:12], body[12:], data[:1] + tag)
    scan = Bytes(body)
    height, key = scan.number("B"), scan.take(32)
    siblings = [scan.take(32) for _ in range(height)]
    description = json.loads(scan.take(scan.number("I")))
    signed, signature = body[: scan.at], scan.take(64)
    if "f" + root_of(key, 0, siblings).hex() != description["channel"]:
        raise ValueError("its key is not the first of the stream")
    Ed25519PublicKey.from_public_bytes(key).verify(
        signature, DOMAIN + b"head" + struct.pack(">H", len(tag)) + tag + signed)
    return tag, description


def main(path):
    with open(path, encoding="utf-8") as file:
        streams = json.load(file)["streams"]
    for stream in streams:
        side = bytes.fromhex(stream.get("sideKey", ""))
        if "head" in stream:
            tag, description = read_head(bytes.fromhex(stream["head"]["bytes"]), stream["head"]["session"].encode(), side)
            assert tag.hex() == stream["head"]["tag"] and description["id"] == "soil-7"
        text = stream["pointerText"]
        padded = text[len("stream1b") :].upper()
        pointer = base64.b32decode(padded + "=" * (-len(padded) % 8))
        assert pointer.hex() == stream["pointer"]
        reader = Reader(pointer, side)
        for message in stream["messages"]:
            assert reader.address().hex() == message["address"], "the address is another"
            _, payload = reader.read(bytes.fromhex(message["bytes"]))
            assert payload.decode() == message["payload"]
        print(f"{stream['mode']}: {len(stream['messages'])} messages and {'a' if 'head' in stream else 'no'} head verified")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "Tests/StreamsTests/Vectors/streams.json")
