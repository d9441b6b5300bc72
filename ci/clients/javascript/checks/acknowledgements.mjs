// Acknowledgements in both directions.

import { strict as assert } from "node:assert";
import { acknowledged, collect, heard } from "../bench.mjs";

export const acknowledgements = {
  async "is acknowledged with arguments"({ open }) {
    const socket = await open();
    assert.deepEqual(await acknowledged(socket, "message-with-ack", "a", { b: [2] }), ["a", { b: [2] }]);
  },

  async "is acknowledged without arguments"({ open }) {
    const socket = await open();
    assert.deepEqual(await acknowledged(socket, "message-with-ack"), []);
  },

  async "is acknowledged after what the event caused"({ open }) {
    const socket = await open();
    const seen = collect(socket, "message-back");
    assert.deepEqual(await acknowledged(socket, "message", "a"), []);
    assert.deepEqual(seen, [["a"]]);
  },

  async "each acknowledgement reaches its own event"({ open }) {
    const socket = await open();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => acknowledged(socket, "message-with-ack", i)),
    );
    assert.deepEqual(
      answers,
      Array.from({ length: 50 }, (_, i) => [i]),
    );
  },

  async acknowledges({ open }) {
    const socket = await open();
    socket.on("question", (word, answer) => answer(word.toUpperCase(), { n: 1 }));
    const answer = heard(socket, "answer");
    socket.emit("ask", "why");
    assert.deepEqual(await answer, ["WHY", { n: 1 }]);
  },

  async "acknowledges in another order than it was asked"({ open }) {
    const socket = await open();
    const asked = collect(socket, "question");
    const answers = collect(socket, "answer");
    for (let i = 0; i < 3; i++) await acknowledged(socket, "ask", i);
    for (const [i, answer] of asked.reverse()) answer(i);
    await acknowledged(socket, "message-with-ack");
    assert.deepEqual(answers, [[2], [1], [0]]);
  },

  async "an answer in time is taken"({ open }) {
    const socket = await open();
    const late = collect(socket, "answer-timeout");
    socket.on("question", (answer) => answer("quick"));
    const answer = heard(socket, "answer");
    socket.emit("ask-timeout", 4000);
    assert.deepEqual(await answer, ["quick"]);
    assert.deepEqual(late, []);
  },

  async "an answer too late does nothing"({ open }) {
    const socket = await open();
    const answers = collect(socket, "answer");
    const [question, late] = [heard(socket, "question"), heard(socket, "answer-timeout")];
    socket.emit("ask-timeout", 50);
    const [answer] = await question;
    assert.deepEqual(await late, []);
    answer("late");
    await acknowledged(socket, "message-with-ack");
    assert.deepEqual(answers, []);
  },
};
