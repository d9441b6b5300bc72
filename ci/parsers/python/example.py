"""The least that `sio-conformance codec` needs (docs/codec.md): python-engineio and python-socketio, packet by packet."""
import json, sys
from engineio.packet import Packet as Engine
from socketio.packet import Packet as Socket

TYPES = {"eio4/packet": ["open", "close", "ping", "pong", "message", "upgrade", "noop"],
         "sio5/packet": ["connect", "disconnect", "event", "ack", "connect-error", "binary-event", "binary-ack"]}

def decode(layer, text):
    packet = (Engine if layer == "eio4/packet" else Socket)(encoded_packet=text)
    fields = {"type": TYPES[layer][packet.packet_type]}
    if layer == "eio4/packet":
        return {**fields, "data": packet.encode()[1:] or None}
    fields["namespace"] = None if packet.namespace == "/" else packet.namespace
    fields["attachments"] = packet.attachment_count if packet.packet_type > 4 else None
    return {**fields, "id": packet.id, "data": packet.data}

def encode(layer, type, data=None, namespace=None, id=None):
    number = TYPES[layer].index(type)
    return (Engine(number, data) if layer == "eio4/packet" else Socket(number, data, namespace, id)).encode()

for ask in map(json.loads, sys.stdin):
    answer = {"unsupported": True}  # as other layers are, bytes, and placeholders, which the class does not take
    try:
        if ask["layer"] in TYPES and "encoded" in ask:
            fields = decode(ask["layer"], ask["encoded"])
            answer = {"decoded": {name: value for name, value in fields.items() if value is not None}}
        elif ask["layer"] in TYPES and ask["op"] == "encode" and "attachments" not in ask["decoded"]:
            answer = {"encoded": encode(ask["layer"], **ask["decoded"])}
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps({"id": ask["id"], **answer}), flush=True)
