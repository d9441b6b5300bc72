/**
 * Packets as text, `type:id[+]:endpoint[:data]`, and payloads, which frame several of them.
 *
 * A packet: { type, id, ack: 'data' where the other side's application answers, endpoint }, and by type
 * message, json: data; event: name, args; ack: ackId, args; connect: query; error: reason, advice.
 */
(function (io) {
  'use strict';

  var TYPES = ['disconnect', 'connect', 'heartbeat', 'message', 'json', 'event', 'ack', 'error', 'noop'];
  var REASONS = ['transport not supported', 'client not handshaken', 'unauthorized'];
  var ADVICE = ['reconnect'];
  var MARK = '\ufffd';

  io.packet = {
    encode: function (packet) {
      var data = encodeData(packet);
      var id = (packet.id || '') + (packet.ack === 'data' ? '+' : '');
      return TYPES.indexOf(packet.type) + ':' + id + ':' + (packet.endpoint || '') + (data === undefined ? '' : ':' + data);
    },

    /** The packet, or null where the text is none. */
    decode: function (text) {
      var parts = /^([0-8]):(\d*)(\+?):([^:]*):?([\s\S]*)$/.exec(text);
      if (!parts) return null;
      var packet = { type: TYPES[parts[1]], id: parts[2], ack: parts[3] ? 'data' : !!parts[2], endpoint: parts[4] };
      try {
        decodeData(packet, parts[5]);
      } catch (malformed) {
        return null;
      }
      return packet;
    },

    /** One packet stands bare, several are framed: mark, length in UTF-16 code units, mark, packet. */
    encodePayload: function (texts) {
      if (texts.length === 1) return texts[0];
      return texts
        .map(function (text) {
          return MARK + text.length + MARK + text;
        })
        .join('');
    },

    /** The texts of the packets in a payload; what follows a broken frame is left out. */
    decodePayload: function (payload) {
      if (payload.charAt(0) !== MARK) return payload ? [payload] : [];
      var texts = [], frame = /\ufffd(\d+)\ufffd/g, head;
      for (var at = 0; at < payload.length; at = frame.lastIndex) {
        frame.lastIndex = at;
        head = frame.exec(payload);
        if (!head || head.index !== at || frame.lastIndex + Number(head[1]) > payload.length) break;
        texts.push(payload.substr(frame.lastIndex, Number(head[1])));
        frame.lastIndex += Number(head[1]);
      }
      return texts;
    }
  };

  function encodeData(packet) {
    switch (packet.type) {
      case 'connect':
        return packet.query ? '?' + packet.query : undefined;
      case 'message':
        return String(packet.data);
      case 'json':
        return json(packet.data === undefined ? null : packet.data);
      case 'event':
        return json(packet.args.length ? { name: packet.name, args: packet.args } : { name: packet.name });
      case 'ack':
        return packet.ackId + (packet.args && packet.args.length ? '+' + json(packet.args) : '');
    }
  }

  // Servers whose parsers take these two for line ends lose a packet that holds them bare.
  function json(value) {
    return JSON.stringify(value).replace(/\u2028/g, '\\u2028').replace(/\u2029/g, '\\u2029');
  }

  function decodeData(packet, data) {
    var parts;
    switch (packet.type) {
      case 'connect':
        packet.query = data.replace(/^\?/, '');
        break;
      case 'message':
        packet.data = data;
        break;
      case 'json':
        packet.data = JSON.parse(data);
        break;
      case 'event':
        parts = JSON.parse(data);
        packet.name = String(parts.name);
        packet.args = list(parts.args);
        break;
      case 'ack':
        parts = /^(\d+)(?:\+([\s\S]*))?$/.exec(data);
        packet.ackId = parts[1];
        packet.args = parts[2] ? list(JSON.parse(parts[2])) : [];
        break;
      case 'error':
        parts = data.split('+');
        packet.reason = REASONS[parts[0]] || parts[0];
        packet.advice = ADVICE[parts[1]] || '';
    }
  }

  function list(value) {
    if (value === undefined) return [];
    return Array.isArray(value) ? value : [value];
  }
})(window.io);
