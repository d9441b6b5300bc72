/**
 * Packets as text, `type:id[+]:endpoint[:data]`, and payloads, which frame several of them.
 *
 * A packet has a type, an id and an endpoint where there is one, ack 'data' where the other side's application answers,
 * and by type message, json: data; event: name, args; ack: ackId, args; connect: query, with its "?"; error: reason,
 * advice, as numbers in text.
 */
(function (io) {
  'use strict';

  var TYPES = ['disconnect', 'connect', 'heartbeat', 'message', 'json', 'event', 'ack', 'error', 'noop'];
  var MARK = '\ufffd';

  io.packet = {
    encode: function (packet) {
      var data = encodeData(packet);
      var id = (packet.id || '') + (packet.ack === 'data' ? '+' : '');
      return TYPES.indexOf(packet.type) + ':' + id + ':' + (packet.endpoint || '') + (data === undefined ? '' : ':' + data);
    },

    /** The packet, or null where the text is none. */
    decode: function (text) {
      var parts = /^([0-8]):(?:(\d+)(\+?))?:([^:]*):?([\s\S]*)$/.exec(text);
      if (!parts) return null;
      var packet = { type: TYPES[parts[1]] };
      if (parts[2]) packet.id = parts[2];
      if (parts[3]) packet.ack = 'data';
      if (parts[4]) packet.endpoint = parts[4];
      try {
        return decodeData(packet, parts[5]) ? packet : null;
      } catch (notJson) {
        return null;
      }
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

    /** The texts of the packets in a payload, or null where a frame is broken. */
    decodePayload: function (payload) {
      if (payload.charAt(0) !== MARK) return payload ? [payload] : null;
      var texts = [], at = 0;
      while (at < payload.length) {
        var head = /^\ufffd([1-9]\d{0,8})\ufffd/.exec(payload.substr(at, 11));
        if (!head) return null;
        var start = at + head[0].length;
        at = start + Number(head[1]);
        if (at > payload.length) return null;
        texts.push(payload.slice(start, at));
      }
      return texts;
    }
  };

  function encodeData(packet) {
    switch (packet.type) {
      case 'connect':
        return packet.query || undefined;
      case 'message':
        return String(packet.data) || undefined;
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

  // Gives false where the data does not fit the type.
  function decodeData(packet, data) {
    var parts;
    switch (packet.type) {
      case 'connect':
        // The query may also stand behind the path.
        parts = /^([^?]*)(\?.*)?$/.exec(packet.endpoint || '');
        if (parts[2]) packet.endpoint = parts[1];
        if (parts[2] || data) packet.query = parts[2] || data;
        return true;
      case 'message':
        packet.data = data;
        return true;
      case 'json':
        packet.data = JSON.parse(data);
        return true;
      case 'event':
        parts = JSON.parse(data) || {};
        packet.name = parts.name;
        packet.args = parts.args === undefined ? [] : parts.args;
        return typeof packet.name === 'string' && Array.isArray(packet.args);
      case 'ack':
        parts = /^(\d+)(?:\+([\s\S]*))?$/.exec(data);
        if (!parts) return false;
        packet.ackId = parts[1];
        packet.args = parts[2] ? JSON.parse(parts[2]) : [];
        return Array.isArray(packet.args);
      case 'error':
        parts = data.split('+');
        if (parts[0]) packet.reason = parts[0];
        if (parts[1]) packet.advice = parts[1];
        return true;
      default:
        return true;
    }
  }
})(window.io);
