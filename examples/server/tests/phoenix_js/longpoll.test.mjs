// phoenix.js over long polling, by choice and as a fallback.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LongPoll } from "phoenix";
import { client, inbox, joined, pushed, startServer, until } from "./support.mjs";

let server;

before(async () => {
  server = await startServer();
});

after(async () => {
  assert.equal(await server.stop("SIGTERM"), 0);
});

test("a room over long polling", async () => {
  const alice = await joined(server, "alice", { options: { transport: LongPoll, authToken: "ab>" } });
  const bob = await joined(server, "bob");
  assert.deepEqual(await until(alice, (list) => list.bob), { alice: ["-"], bob: ["-"] });
  const replies = [1, 2, 3].map((n) => pushed(alice.channel.push("echo", { n })));
  assert.deepEqual(await Promise.all(replies), [{ n: 1 }, { n: 2 }, { n: 3 }]);
  assert.equal((await pushed(alice.channel.push("whoami", {}))).auth_token, "ab>");
  await pushed(alice.channel.push("set_status", { status: "away" }));
  await until(bob, (list) => list.alice?.[0] === "away");
  const shouts = inbox();
  bob.channel.on("shout", shouts.put);
  alice.channel.push("shout_from", new Uint8Array([1, 2, 3]).buffer);
  assert.deepEqual(new Uint8Array(await shouts.next()), new Uint8Array([1, 2, 3]));
  await pushed(alice.channel.leave());
  await until(bob, (list) => !list.alice);
  alice.socket.disconnect();
  bob.socket.disconnect();
});

test("a session the server ended is opened anew", async () => {
  const alice = await joined(server, "alice", { options: { transport: LongPoll } });
  const states = inbox();
  alice.channel.on("presence_state", () => states.put("state"));
  alice.channel.push("disconnect_me", {});
  assert.equal(await alice.closes.next(), 3410);
  await states.next("the state after the rejoin");
  await until(alice, (list) => list.alice?.length === 1);
  alice.socket.disconnect();
});

test("refused sessions do not open", async () => {
  const options = { transport: LongPoll, params: { user_id: "alice", reject: 1 } };
  const alice = client(server, "alice", { options });
  alice.socket.connect();
  assert.equal(await alice.closes.next(), 1008);
  alice.socket.disconnect();
});

test("without WebSockets phoenix.js falls back", async () => {
  class Blocked {
    constructor() {
      setTimeout(() => {
        this.onerror(new Error("blocked"));
        this.onclose({ code: 1006 });
      });
    }
    close() {}
  }
  const options = { transport: Blocked, longPollFallbackMs: 20 };
  const alice = await joined(server, "alice", { options });
  assert.ok(alice.socket.conn instanceof LongPoll);
  assert.deepEqual(await pushed(alice.channel.push("echo", { n: 1 })), { n: 1 });
  alice.socket.disconnect();
});
