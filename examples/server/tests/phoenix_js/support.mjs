import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Presence, Socket } from "phoenix";
import WebSocket from "ws";

const binary = process.env.PRESENCE_SERVER_BIN;
if (!binary) {
  throw new Error("PRESENCE_SERVER_BIN names the server's binary: cargo build -p presence-server");
}

/** Starts the server on a port, or any; `stop` sends it a signal and waits for its end. */
export async function startServer({ port = 0 } = {}) {
  const child = spawn(binary, ["--port", String(port)], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const failed = exited.then(([code, signal]) => {
    throw new Error(`the server ended with ${code ?? signal} before it listened`);
  });
  const [line] = await Promise.race([once(createInterface(child.stdout), "line"), failed]);
  failed.catch(() => {}); // from here on its end is no failure
  const url = line.match(/^listening on (http:.*)$/)?.[1];
  if (!url) throw new Error(`the server's first line is ${JSON.stringify(line)}`);
  return {
    endpoint: `${url.replace("http", "ws")}/socket`,
    port: new URL(url).port,
    stop: async (signal) => {
      child.kill(signal);
      return (await exited)[0];
    },
  };
}

/** The values something yields, to be taken one at a time; `next` waits for one at most 20 s. */
export function inbox() {
  const values = [];
  const waiting = [];
  return {
    put: (value) => (waiting.length > 0 ? waiting.shift()(value) : values.push(value)),
    empty: () => values.length === 0,
    next: (what = "a value") => {
      if (values.length > 0) return Promise.resolve(values.shift());
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`waited for ${what} in vain`)), 20_000);
        waiting.push((value) => {
          clearTimeout(timer);
          resolve(value);
        });
      });
    },
  };
}

/** A client of phoenix.js: its socket, a channel and what the channel's presence reports. */
export function client(server, userId, { room = "room:lobby", join = {}, options = {} } = {}) {
  const closes = inbox();
  const socket = new Socket(server.endpoint, {
    transport: WebSocket,
    params: { user_id: userId },
    timeout: 3_000,
    reconnectAfterMs: () => 20,
    rejoinAfterMs: () => 20,
    ...options,
  });
  socket.onClose((event) => closes.put(event.code));
  const channel = socket.channel(room, join);
  const presence = new Presence(channel);
  const joins = inbox();
  const leaves = inbox();
  presence.onJoin((key, current, added) => joins.put({ key, current, added }));
  presence.onLeave((key, current, removed) => leaves.put({ key, current, removed }));
  const syncs = inbox();
  presence.onSync(() => syncs.put(summary(presence)));
  return { socket, channel, presence, joins, leaves, syncs, closes };
}

/** Connects, joins and waits until its own presence is in the list. */
export async function joined(server, userId, settings) {
  const one = client(server, userId, settings);
  one.socket.connect();
  await pushed(one.channel.join());
  await until(one, (list) => list[userId]);
  return one;
}

/** The answer to a push: resolved by ok, rejected by error and timeout. */
export function pushed(push) {
  return new Promise((resolve, reject) => {
    push
      .receive("ok", resolve)
      .receive("error", (response) => reject(Object.assign(new Error("refused"), { response })))
      .receive("timeout", () => reject(new Error("timeout")));
  });
}

/** Waits for a sync whose list fits. */
export async function until({ syncs, presence }, fits) {
  let list = summary(presence);
  while (!fits(list)) list = await syncs.next(`a fitting list, the last being ${JSON.stringify(list)}`);
  return list;
}

/** {key: [device or status or "-", …]} */
export function summary(presence) {
  const entries = presence.list((key, { metas }) => [
    key,
    metas.map((meta) => [meta.device, meta.status].filter(Boolean).join(" ") || "-"),
  ]);
  return Object.fromEntries(entries);
}
