// Random lives of a socket: what its user, its transports, its server, its page and the clock do.

import { Random } from "../random.mjs"

/** Callbacks within which the user does something. (What is sent before others are called, here, makes more differ.) */
const CALLBACKS = [
  "join of N: ok",
  "join of N: error",
  "push N: ok",
  "push N: error",
  "push N: odd",
  "onMessage",
  "pong",
  "shout of N",
]

const WAITS = [1, 9, 10, 50, 100, 149, 150, 300, 500, 999, 1000, 2000, 5000, 9999, 10000, 30000, 60000]

export const generate = (seed) => {
  const random = new Random(seed)
  const topics = 1 + random.below(2)
  const channels = 1 + random.below(4)
  const channel = () => random.below(channels)
  const timeout = () => (random.chance(0.2) ? random.pick([50, 500, 2000, 20000]) : undefined)
  /** Mostly the present transport. */
  const transport = () => (random.chance(0.8) ? 0 : random.below(3))
  const event = () =>
    random.weighted([
      [6, () => ({ do: "connect" })],
      [
        3,
        () => ({
          do: "disconnect",
          told: random.chance(0.7) ? true : undefined,
          code: random.pick([undefined, 1000, 4000]),
        }),
      ],
      [4, () => ({ do: "join", channel: channel(), timeout: timeout() })],
      [2, () => ({ do: "leave", channel: channel(), timeout: timeout() })],
      [7, () => ({ do: "push", channel: channel(), timeout: timeout() })],
      [1, () => ({ do: "ping" })],
      [1, () => ({ do: "raw" })],
      [1, () => ({ do: "replace" })],
      [1, () => ({ do: "anew", topic: random.below(topics) })],
      [1, () => ({ do: "off", channel: channel() })],
      [1, () => ({ do: "remove", channel: channel() })],
      [1, () => ({ do: "again", push: random.below(3), timeout: timeout(), send: random.chance(0.3) })],
      [1, () => ({ do: "timeout", channel: channel(), ms: random.pick([50, 500, 2000, 20000]) })],
      [1, () => ({ do: "heartbeat", ms: random.pick([500, 5000]) })],
      [10, () => ({ do: "open", transport: transport() })],
      [4, () => ({ do: "closed", transport: transport(), code: random.pick([1000, 1001, 1006]) })],
      [
        3,
        () => ({
          do: "lose",
          transport: transport(),
          code: random.pick([1000, 1006, 1012]),
          error: random.chance(0.6),
        }),
      ],
      [1, () => ({ do: "error", transport: transport() })],
      [2, () => ({ do: "buffer", transport: transport(), full: random.chance(0.5) })],
      [
        14,
        () => ({
          do: "reply",
          back: random.chance(0.7) ? 0 : random.below(6),
          status: random.pick(["ok", "ok", "ok", "error", "odd"]),
        }),
      ],
      [
        4,
        () => ({
          do: "event",
          channel: channel(),
          event: random.pick(["shout", "shout", "phx_error", "phx_close"]),
          join: random.pick(["now", "none", "old"]),
        }),
      ],
      [
        2,
        () => ({
          do: "page",
          what: random.pick(["hidden", "visible", "visible", "pagehide", "pageshow", "resume"]),
        }),
      ],
      [14, () => ({ do: "wait", ms: random.pick(WAITS) })],
    ])()
  const reaction = () => {
    const on = random.pick(CALLBACKS)
    const choices = [
      [4, { do: "push", channel: channel() }],
      [1, { do: "ping" }],
      [1, { do: "raw" }],
    ]
    // A shout also comes to channels that one of those who hear it has left meanwhile; here it does not.
    if (on !== "shout of N") {
      choices.push(
        [2, { do: "connect" }],
        [3, { do: "disconnect", told: true }],
        [3, { do: "join", channel: channel() }],
        [3, { do: "leave", channel: channel() }],
        [1, { do: "replace" }],
      )
    }
    return { on, event: random.weighted(choices) }
  }
  const begin = random.chance(0.8)
    ? [
        { do: "connect" },
        { do: "open", transport: 0 },
        { do: "join", channel: 0 },
        ...(random.chance(0.8) ? [{ do: "reply", back: 0, status: "ok" }] : []),
      ]
    : []
  const some = (value) => (random.chance(0.3) ? value : undefined)
  return {
    channels: random.times(channels, () => random.below(topics)),
    heartbeat: some(random.pick([1000, 7000])),
    timeout: some(random.pick([300, 4000])),
    waits: some([random.pick([20, 700]), random.pick([30, 1500])]),
    reactions: random.times(random.below(3), reaction),
    events: [...begin, ...random.times(1 + random.below(40), event)],
  }
}
