// A socket of this package's on a transport that the test plays the server's part of.

import { Presence, Socket } from "../../src/index.js"
import { FakeTransport } from "./both.js"

export const server = (): FakeTransport => FakeTransport.all.at(-1)!

/** A socket whose connection is open. */
export const connected = (options: object = {}): Socket => {
  FakeTransport.all = []
  const socket = new Socket("ws://example.com/socket", { transport: FakeTransport as any, ...options })
  socket.connect()
  server().open()
  return socket
}

/** The server's answer to the message sent last, or to the last of `event`. */
export const reply = (status = "ok", response: unknown = {}, event?: string): void => {
  const sent = server().sent.map((frame) => JSON.parse(frame))
  const [joinRef, ref, topic] = sent.findLast((message) => event === undefined || message[3] === event)
  server().receive(joinRef, ref, topic, "phx_reply", { status, response })
}

/** A channel that has joined, and its presence. */
export const room = (options: object = {}) => {
  const socket = connected(options)
  const channel = socket.channel("room:1")
  const presence = new Presence<{ name: string }, { user: string }>(channel)
  channel.join()
  reply()
  const frame = (event: string, payload: unknown) => server().receive(null, null, "room:1", event, payload)
  return {
    socket,
    channel,
    presence,
    state: (state: unknown) => frame("presence_state", state),
    diff: (joins: unknown, leaves: unknown = {}) => frame("presence_diff", { joins, leaves }),
  }
}

export const person = (ref: string, more: object = {}, extra: object = {}) => ({
  metas: [{ phx_ref: ref, ...more }],
  ...extra,
})
