"""The least that `sio-conformance codec` needs (docs/codec.md): python-engineio and python-socketio, packet by packet."""
import json
import sys

from engineio import packet as engine
from socketio import packet as socket

ENGINE = ["open", "close", "ping", "pong", "message", "upgrade", "noop"]
SOCKET = ["connect", "disconnect", "event", "ack", "connect-error", "binary-event", "binary-ack"]

def decode(layer, text):
    if layer == "eio4/packet":
        packet = engine.Packet(encoded_packet=text)
        fields = {"type": ENGINE[packet.packet_type], "data": packet.encode()[1:] or None}
    else:
        packet = socket.Packet(encoded_packet=text)
        fields = {"type": SOCKET[packet.packet_type], "id": packet.id, "data": packet.data}
        fields["namespace"] = None if packet.namespace == "/" else packet.namespace
        fields["attachments"] = packet.attachment_count if packet.packet_type > 4 else None
    return {name: value for name, value in fields.items() if value is not None}

def encode(layer, it):
    if layer == "eio4/packet":
        return engine.Packet(ENGINE.index(it["type"]), it.get("data")).encode()
    if "attachments" in it:  # the class takes binary data, and no placeholders
        return None
    return socket.Packet(SOCKET.index(it["type"]), it.get("data"), it.get("namespace"), it.get("id")).encode()

for line in sys.stdin:
    ask, answer = json.loads(line), {"unsupported": True}
    if ask["layer"] in ("eio4/packet", "sio5/packet") and "encodedHex" not in ask:
        try:
            result = (decode if ask["op"] == "decode" else encode)(ask["layer"], ask.get("encoded", ask.get("decoded")))
            answer = answer if result is None else {f"{ask['op']}d": result}
        except Exception as error:
            answer = {"error": repr(error)}
    print(json.dumps({"id": ask["id"], **answer}), flush=True)
