"""Answers the requests of `sio-conformance codec` (docs/codec.md) with python-engineio and python-socketio."""

import json
import sys

from engineio import packet as engine
from engineio.payload import Payload
from socketio import packet as socket

ENGINE = ["open", "close", "ping", "pong", "message", "upgrade", "noop"]
SOCKET = ["connect", "disconnect", "event", "ack", "connect-error", "binary-event", "binary-ack"]


class Unsupported(Exception):
    pass


def swapped(value, swap):
    """A value with others in the place of some within it."""
    value = swap(value)
    if isinstance(value, list):
        return [swapped(item, swap) for item in value]
    return {key: swapped(item, swap) for key, item in value.items()} if isinstance(value, dict) else value


def noted(value):
    """Bytes in the notation of the vectors, and NaN, which JSON has not, as a word."""
    return {"$binary": value.hex()} if isinstance(value, bytes) else "NaN" if value != value else value


def binary(value):
    return bytes.fromhex(value["$binary"]) if isinstance(value, dict) and "$binary" in value else value


def without_none(**fields):
    return {name: value for name, value in fields.items() if value is not None}


def engine_decode(encoded):
    packet = engine.Packet(encoded_packet=encoded)
    # The class parses JSON in a message; encoded, it is text again.
    return without_none(type=ENGINE[packet.packet_type], data=packet.encode()[1:] or None)


def engine_encode(decoded):
    return {"encoded": engine.Packet(ENGINE.index(decoded["type"]), decoded.get("data")).encode()}


def payload_decode(encoded):
    packets = Payload(encoded_payload=encoded).packets
    return [{"hex": it.data.hex()} if it.binary else ENGINE[it.packet_type] and it.encode() for it in packets]


def payload_encode(decoded):
    text = [engine.Packet(int(it[0]), it[1:]) if isinstance(it, str) else None for it in decoded]
    packets = [it or engine.Packet(engine.MESSAGE, bytes.fromhex(data["hex"])) for it, data in zip(text, decoded)]
    return {"encoded": Payload(packets=packets).encode()}


def socket_decode(encoded, attachments=None):
    packet = socket.Packet(encoded_packet=encoded)
    kind, count = SOCKET[packet.packet_type], packet.attachment_count if packet.packet_type > 4 else None
    if attachments is not None:
        complete = [packet.add_attachment(bytes.fromhex(it)) for it in attachments]
        if not (complete or [count is None])[-1]:
            raise ValueError("attachments are missing")
        kind, count = kind.removeprefix("binary-"), None
    namespace = None if packet.namespace == "/" else packet.namespace
    data = swapped(packet.data, noted)
    return without_none(type=kind, namespace=namespace, attachments=count, id=packet.id, data=data)


def socket_encode(decoded):
    if "attachments" in decoded:  # the class takes binary data, and no placeholders
        raise Unsupported
    kind, data = SOCKET.index(decoded["type"]), swapped(decoded.get("data"), binary)
    encoded = socket.Packet(kind, data, decoded.get("namespace"), decoded.get("id")).encode()
    text, *attachments = [encoded] if isinstance(encoded, str) else encoded
    return {"encoded": text, "attachmentsHex": [it.hex() for it in attachments]}


LAYERS = {
    "eio4/packet": (engine_decode, engine_encode),
    "eio4/payload": (payload_decode, payload_encode),
    "sio5/packet": (socket_decode, socket_encode),
    "sio5/binary": (socket_decode, socket_encode),
}

for line in sys.stdin:
    ask = json.loads(line)
    try:
        if ask["layer"] not in LAYERS or "encodedHex" in ask:
            raise Unsupported
        decode, encode = LAYERS[ask["layer"]]
        if ask["op"] == "encode":
            answer = encode(ask["decoded"])
        else:
            attachments = [ask.get("attachmentsHex", [])] if ask["layer"] == "sio5/binary" else []
            answer = {"decoded": decode(ask["encoded"], *attachments)}
    except Unsupported:
        answer = {"unsupported": True}
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps({"id": ask["id"], **answer}), flush=True)
