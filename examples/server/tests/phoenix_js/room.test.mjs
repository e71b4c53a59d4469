// phoenix.js itself, the unchanged npm package, as a client of the server.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Socket } from "phoenix";
import WebSocket from "ws";
import { client, inbox, joined, pushed, startServer, until } from "./support.mjs";

let server;
const open = new Set();

before(async () => {
  server = await startServer();
});

afterEach(() => {
  for (const { socket } of open) socket.disconnect();
  open.clear();
});

after(async () => {
  assert.equal(await server.stop("SIGTERM"), 0);
});

async function join(userId, settings) {
  const one = await joined(server, userId, settings);
  open.add(one);
  return one;
}

function make(userId, settings) {
  const one = client(server, userId, settings);
  open.add(one);
  return one;
}

test("pushes are answered, with ok, error or not at all", async () => {
  const { channel } = await join("alice");
  assert.deepEqual(await pushed(channel.push("echo", { n: [1, null, "ü"] })), { n: [1, null, "ü"] });
  const refused = pushed(channel.push("fail", { reason: "why" }));
  await assert.rejects(refused, (error) => error.response.reason === "why");
  await assert.rejects(pushed(channel.push("no_reply", {}, 30)), /timeout/);
  assert.deepEqual(await pushed(channel.push("slow", { ms: 10 })), { ms: 10 });
  const pushes = inbox();
  channel.on("pushed", pushes.put);
  channel.push("push_me", { a: 1 });
  assert.deepEqual(await pushes.next(), { a: 1 });
});

test("binary payloads come back as binary", async () => {
  const { channel } = await join("alice");
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  const reply = await pushed(channel.push("echo", bytes.buffer));
  assert.ok(reply instanceof ArrayBuffer);
  assert.deepEqual(new Uint8Array(reply), bytes);
  const shouts = inbox();
  channel.on("shout", shouts.put);
  channel.push("shout", bytes.buffer);
  assert.deepEqual(new Uint8Array(await shouts.next()), bytes);
});

test("broadcasts reach everybody, or everybody else", async () => {
  const alice = await join("alice");
  const bob = await join("bob");
  const heard = { alice: inbox(), bob: inbox() };
  alice.channel.on("shout", heard.alice.put);
  bob.channel.on("shout", heard.bob.put);
  alice.channel.push("shout_from", { n: 1 });
  alice.channel.push("shout", { n: 2 });
  assert.deepEqual([await heard.bob.next(), await heard.bob.next()], [{ n: 1 }, { n: 2 }]);
  assert.deepEqual(await heard.alice.next(), { n: 2 });
});

test("people come and go", async () => {
  const alice = await join("alice");
  assert.equal((await alice.joins.next()).key, "alice");
  await alice.joins.next("the own diff, which the state repeats");
  const bob = await join("bob");
  const { key, current, added } = await alice.joins.next();
  assert.deepEqual([key, current, added.metas.length], ["bob", undefined, 1]);
  assert.deepEqual(await until(bob, (list) => list.alice), { alice: ["-"], bob: ["-"] });
  await pushed(bob.channel.leave());
  const left = await alice.leaves.next();
  assert.deepEqual([left.key, left.current.metas], ["bob", []]);
  assert.deepEqual(await until(alice, (list) => !list.bob), { alice: ["-"] });
});

test("one person on two devices", async () => {
  const phone = await join("alice", { join: { device: "phone" } });
  const laptop = await join("alice", { join: { device: "laptop" } });
  const both = { alice: ["phone", "laptop"] };
  assert.deepEqual(await until(phone, (list) => list.alice.length === 2), both);
  assert.deepEqual(await until(laptop, (list) => list.alice.length === 2), both);
  laptop.socket.disconnect();
  const { key, current, removed } = await phone.leaves.next();
  assert.deepEqual([key, current.metas.length, removed.metas[0].device], ["alice", 1, "laptop"]);
});

test("an update is a join and a leave in one", async () => {
  const alice = await join("alice");
  const bob = await join("bob");
  await until(alice, (list) => list.bob);
  const { ref } = await pushed(bob.channel.push("set_status", { status: "away" }));
  assert.deepEqual((await until(alice, (list) => list.bob?.[0] === "away")).bob, ["away"]);
  const { removed, current } = await alice.leaves.next();
  assert.equal(current.metas[0].phx_ref, ref);
  assert.equal(current.metas[0].phx_ref_prev, removed.metas[0].phx_ref);
});

test("a crashed channel is rejoined and its presence is new", async () => {
  const alice = await join("alice");
  const bob = await join("bob");
  await until(bob, (list) => list.alice);
  const errors = inbox();
  const rejoins = inbox();
  alice.channel.onError(errors.put);
  alice.channel.joinPush.receive("ok", rejoins.put);
  await rejoins.next("the join's own ok, reported at once");
  alice.channel.push("crash", {});
  assert.deepEqual(await errors.next(), { reason: "channel_crash" });
  assert.equal((await bob.leaves.next()).key, "alice");
  await rejoins.next("the rejoin");
  assert.deepEqual(await until(bob, (list) => list.alice), { alice: ["-"], bob: ["-"] });
  assert.equal(alice.channel.state, "joined");
});

test("an event nobody knows crashes the channel too", async () => {
  const { channel } = await join("alice");
  const errors = inbox();
  channel.onError(errors.put);
  channel.push("no_such_event", {});
  assert.deepEqual(await errors.next(), { reason: "channel_crash" });
});

test("the server may close a channel", async () => {
  const { channel } = await join("alice");
  const closed = inbox();
  channel.onClose(() => closed.put(channel.state));
  channel.push("stop", {});
  assert.equal(await closed.next(), "closed");
});

test("refused joins say why", async () => {
  const forbidden = make("alice", { room: "room:forbidden" });
  forbidden.socket.connect();
  const refused = pushed(forbidden.channel.join());
  await assert.rejects(refused, (error) => error.response.reason === "forbidden");
  const stray = make("alice", { room: "nosuch:topic" });
  stray.socket.connect();
  const unmatched = pushed(stray.channel.join());
  await assert.rejects(unmatched, (error) => error.response.reason === "unmatched topic");
});

test("a second join of the topic on one socket takes the first one's place", async () => {
  const alice = await join("alice", { join: { device: "first" } });
  const closed = inbox();
  alice.channel.onClose(() => closed.put("closed"));
  // phoenix.js itself leaves the old channel when a new one of its topic joins.
  const second = alice.socket.channel("room:lobby", { device: "second" });
  await pushed(second.join());
  assert.equal(await closed.next(), "closed");
  assert.deepEqual(await pushed(second.push("echo", { still: true })), { still: true });
  const bob = await join("bob");
  assert.deepEqual((await until(bob, (list) => list.alice)).alice, ["second"]);
});

test("a broken connection comes back with its presence", async () => {
  const alice = await join("alice");
  const bob = await join("bob");
  await until(bob, (list) => list.alice);
  alice.socket.conn.terminate();
  assert.equal(await alice.closes.next(), 1006);
  assert.equal((await bob.leaves.next()).key, "alice");
  assert.deepEqual(await until(bob, (list) => list.alice), { alice: ["-"], bob: ["-"] });
  await until(alice, (list) => list.alice && list.bob);
});

test("the server may close the socket, and phoenix.js comes back", async () => {
  const alice = await join("alice");
  const opened = inbox();
  alice.socket.onOpen(() => opened.put("open"));
  alice.channel.push("disconnect_me", {});
  assert.equal(await alice.closes.next(), 1001);
  assert.equal(await opened.next(), "open");
});

test("heartbeats are answered", async () => {
  const { socket } = await join("alice");
  const pings = inbox();
  assert.equal(socket.ping(pings.put), true);
  assert.ok((await pings.next()) >= 0);
});

test("the serializer of vsn 1.0.0 works as well", async () => {
  const alice = await join("alice", { options: { vsn: "1.0.0", ...v1() } });
  assert.deepEqual(await pushed(alice.channel.push("echo", { n: 1 })), { n: 1 });
  await join("bob");
  assert.deepEqual(await until(alice, (list) => list.bob), { alice: ["-"], bob: ["-"] });
});

/** phoenix.js speaks V2 only; for V1 its users bring their own encode and decode. */
function v1() {
  return {
    encode: (message, callback) => callback(JSON.stringify(message)),
    decode: (raw, callback) => callback(JSON.parse(raw)),
  };
}

test("connect parameters and authToken arrive", async () => {
  // Of the characters in which the base64 alphabets differ this token has a plus; a slash makes
  // `new WebSocket` throw, since no subprotocol may have one.
  const authToken = "ab>";
  const options = { params: { user_id: "alice", lang: "de" }, authToken };
  const { channel } = await join("alice", { join: { device: "phone" }, options });
  const me = await pushed(channel.push("whoami", {}));
  assert.equal(me.params.lang, "de");
  assert.equal(me.auth_token, authToken);
  assert.deepEqual(me.join, { device: "phone" });
});

test("a refused connect never opens", async () => {
  const socket = new Socket(server.endpoint, {
    transport: WebSocket,
    params: { user_id: "alice", reject: 1 },
    reconnectAfterMs: () => 100_000,
  });
  open.add({ socket });
  const errors = inbox();
  const opened = inbox();
  socket.onError((error) => errors.put(error.message));
  socket.onOpen(() => opened.put("open"));
  socket.connect();
  assert.match(await errors.next(), /403/);
  assert.ok(opened.empty());
});

test("after a kill and a restart on the same port everybody is back", async () => {
  let own = await startServer();
  const alice = await joined(own, "alice");
  const bob = await joined(own, "bob");
  await until(alice, (list) => list.bob);
  open.add(alice).add(bob);
  await own.stop("SIGKILL");
  assert.equal(await alice.closes.next(), 1006);
  assert.equal(await bob.closes.next(), 1006);
  const rejoins = inbox();
  alice.channel.on("presence_state", () => rejoins.put("state"));
  own = await startServer({ port: own.port });
  await rejoins.next("a state from the new server");
  const list = await until(alice, (state) => state.alice && state.bob);
  assert.deepEqual(Object.keys(list).sort(), ["alice", "bob"]);
  await own.stop("SIGTERM");
});
