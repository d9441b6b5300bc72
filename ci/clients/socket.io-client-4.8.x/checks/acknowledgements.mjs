// Acknowledgements in both directions.

import { strict as assert } from "node:assert";
import { acknowledged, bounded, collect, heard } from "../bench.mjs";

const NOBODY = "an event that the contract does not know";

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

  async "awaits an acknowledgement"({ open }) {
    const socket = await open();
    const answer = socket.timeout(5000).emitWithAck("message-with-ack", "a");
    assert.equal(await answer, "a");
  },

  async "an acknowledgement that comes in time is no timeout"({ open }) {
    const socket = await open();
    const answer = await bounded("the acknowledgement", (done) =>
      socket.timeout(4000).emit("message-with-ack", "a", (...answer) => done(answer)),
    );
    assert.deepEqual(answer, [null, "a"]);
  },

  async "an acknowledgement that does not come times out"({ open }) {
    const socket = await open();
    const error = await bounded("the timeout", (done) => socket.timeout(50).emit(NOBODY, (error) => done(error)));
    assert.equal(error?.message, "operation has timed out");
    await assert.rejects(socket.timeout(50).emitWithAck(NOBODY), /timed out/);
  },

  async "sends one after the other, each until it is acknowledged"({ open }) {
    const socket = await open({ retries: 2, ackTimeout: 4000 });
    const answers = await Promise.all(
      [1, 2, 3].map((n) =>
        bounded("the acknowledgement", (done) => socket.emit("message-with-ack", n, (...all) => done(all))),
      ),
    );
    assert.deepEqual(answers, [
      [null, 1],
      [null, 2],
      [null, 3],
    ]);
  },

  async "gives up what is not acknowledged after its retries"({ open }) {
    const socket = await open({ retries: 1, ackTimeout: 50 });
    const error = await bounded("the error", (done) => socket.emit(NOBODY, (error) => done(error)));
    assert.equal(error?.message, "operation has timed out");
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
