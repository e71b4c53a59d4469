import { beforeEach, describe, expect, it, vi } from "vitest"
import { Socket } from "../../src/index.js"
import { both, FakeTransport, type Stage, useFakeTimers } from "./both.js"
import { exchanges, last, playHttp } from "./http.js"

useFakeTimers()

beforeEach(() => {
  playHttp()
})

const WAIT = 2500
const KEY = "phx:fallback:LongPoll"

const storage = (items: Record<string, string> = {}) => ({
  items,
  getItem: (key: string) => items[key] ?? null,
  setItem: (key: string, value: string) => {
    items[key] = value
  },
})

/** Plays a scenario over both with the fallback on, and logs what it does to the storage, too. */
const withFallback = (
  scenario: (stage: Stage & { longPoll(): void }) => void,
  remembered: Record<string, string> = {},
): unknown[] =>
  both(
    (stage) => {
      exchanges.length = 0
      const { socket, wait, log, heard } = stage
      const store = storage({ ...remembered })
      socket.sessionStore = store
      socket.logger = (kind: string, message: string, data: any) => {
        if (/fall|primary/.test(message)) {
          log.push([kind, message, typeof data])
        }
      }
      socket.onOpen(heard("open"))
      socket.onClose(heard("close"))
      // The server accepts the long poll.
      const longPoll = () => {
        wait(1)
        last().answer({ status: 410, token: "one", messages: [] })
      }
      scenario({ ...stage, longPoll })
      log.push(store.items, socket.connectionState())
      for (const { method, url, body } of exchanges) {
        log.push([method, new URL(url).pathname, body])
      }
    },
    { longPollFallbackMs: WAIT },
  )

/** The server's answer to the message sent last. */
const answerPing = ({ server }: Stage) => {
  const [, ref] = JSON.parse(server().sent.at(-1))
  server().receive(null, ref, "phoenix", "phx_reply", { status: "ok", response: {} })
}

const remembers = (log: unknown[]) => log.some((entry: any) => entry?.[KEY] === "true")
const falls = (log: unknown[]) => log.filter((entry: any) => /falling back/.test(entry?.[1])).length

describe("falls back", () => {
  it("when the connection does not open in time, and remembers it", () => {
    const log = withFallback(({ socket, wait, log, longPoll }) => {
      socket.connect()
      wait(WAIT - 1)
      log.push(exchanges.length)
      wait(1)
      longPoll()
    })
    expect(falls(log)).toBe(1)
    expect(remembers(log)).toBe(true)
  })

  it("at once when the connection fails before it opened", () => {
    const log = withFallback(({ socket, server, longPoll }) => {
      socket.connect()
      server().lose()
      longPoll()
    })
    expect(remembers(log)).toBe(true)
  })

  it("when the connection opens and nothing comes through", () => {
    const log = withFallback(({ socket, server, wait, log, longPoll }) => {
      socket.connect()
      wait(WAIT - 1)
      server().open()
      wait(WAIT - 1)
      log.push(exchanges.length)
      wait(1)
      longPoll()
    })
    expect(remembers(log)).toBe(true)
  })

  it("without a try of its own where that was remembered", () => {
    const log = withFallback(
      ({ socket, longPoll }) => {
        socket.connect()
        longPoll()
      },
      { [KEY]: "true" },
    )
    expect(FakeTransport.all).toHaveLength(0)
    expect(log).toContainEqual(["open"])
  })

  it("without remembering it if the connection had been healthy before", () => {
    const log = withFallback((stage) => {
      const { socket, server, wait, longPoll } = stage
      socket.connect()
      server().open()
      answerPing(stage)
      server().lose()
      wait(10)
      server().lose()
      longPoll()
    })
    expect(falls(log)).toBe(1)
    expect(remembers(log)).toBe(false)
  })

  it("and goes on polling when that connection is lost", () => {
    withFallback(({ socket, server, wait, longPoll }) => {
      socket.connect()
      server().lose()
      longPoll()
      last().fail()
      wait(10)
      longPoll()
    })
  })

  it("and joins there, what was joined and what was to be", () => {
    const log = withFallback(({ socket, server, wait, heard, longPoll }) => {
      const channel = socket.channel("room:1")
      channel.onError(heard("channel error"))
      channel.join().receive("ok", heard("joined"))
      socket.connect()
      server().open()
      wait(WAIT)
      const later = socket.channel("room:2")
      later.join().receive("ok", heard("joined later"))
      longPoll()
      wait(0)
      const messages = last("POST")
        .body.split("\n")
        .map((line: string) => JSON.parse(line))
        .map(([joinRef, ref, topic]: any) =>
          JSON.stringify([joinRef, ref, topic, "phx_reply", { status: "ok", response: { topic } }]),
        )
      last().answer({ status: 200, token: "one", messages })
      wait(0)
    })
    expect(log).toContainEqual(["joined", { topic: "room:1" }])
    expect(log).toContainEqual(["joined later", { topic: "room:2" }])
  })

  it("without an error for a channel whose join was still to be sent", () => {
    const log = withFallback(({ socket, server, wait, heard, longPoll, log }) => {
      const channel = socket.channel("room:1")
      channel.onError(heard("channel error"))
      channel.join()
      socket.connect()
      server().lose()
      log.push(channel.state)
      longPoll()
      wait(1)
      log.push(channel.state)
    })
    expect(log.filter((entry) => entry === "joining")).toHaveLength(2)
  })

  it("when the transport cannot even be made", () => {
    const log = withFallback(({ socket, wait, longPoll, log }) => {
      socket.transport = class {
        constructor() {
          throw new TypeError("no WebSockets here")
        }
      }
      try {
        socket.connect()
      } catch (error) {
        log.push(String(error))
      }
      wait(WAIT)
      longPoll()
    })
    expect(log).toContain("TypeError: no WebSockets here")
    expect(falls(log)).toBe(1)
  })
})

describe("does not fall back", () => {
  it("from a connection that answers", () => {
    const log = withFallback((stage) => {
      const { socket, server, wait } = stage
      socket.connect()
      server().open()
      wait(WAIT - 1)
      answerPing(stage)
      wait(10 * WAIT)
    })
    expect(log).toContainEqual(["transport", "connected to primary after", "number"])
    expect(falls(log)).toBe(0)
  })

  it("at once from a connection that fails after it opened", () => {
    const log = withFallback(({ socket, server, wait }) => {
      socket.connect()
      server().open()
      server().lose()
      wait(10)
      server().open()
      wait(WAIT - 1)
    })
    expect(falls(log)).toBe(0)
  })

  it("once disconnected", () => {
    const log = withFallback(({ socket, wait }) => {
      socket.connect()
      wait(WAIT - 1)
      socket.disconnect()
      wait(WAIT)
    })
    expect(falls(log)).toBe(0)
  })

  it("when the user's own callback disconnects upon the error", () => {
    const log = withFallback(({ socket, server, wait }) => {
      socket.onError(() => socket.disconnect())
      socket.connect()
      server().lose()
      wait(WAIT)
    })
    expect(falls(log)).toBe(0)
  })

  it("once another transport was chosen", () => {
    const log = withFallback(({ socket, wait, server }) => {
      socket.connect()
      socket.replaceTransport(FakeTransport)
      wait(WAIT)
      socket.connect()
      server().open()
    })
    expect(falls(log)).toBe(0)
  })

  it("unless it is asked to", () => {
    const log = both(({ socket, server, wait }) => {
      exchanges.length = 0
      socket.connect()
      server().lose()
      wait(60_000)
    })
    expect(exchanges).toEqual([])
    expect(log).not.toEqual([])
  })
})

it("leaves the connection to a callback that connects while it falls back", () => {
  withFallback(({ socket, server, wait, heard, log }) => {
    const channel = socket.channel("room:1")
    channel.onError(() => socket.connect())
    channel.onError(heard("channel error"))
    channel.join()
    socket.connect()
    server().open()
    wait(WAIT)
    wait(0)
    log.push(exchanges.length)
  })
})

it("leaves the socket disconnected if a callback disconnects while it falls back", () => {
  withFallback(({ socket, server, wait }) => {
    const channel = socket.channel("room:1")
    channel.onError(() => socket.disconnect())
    channel.join()
    socket.connect()
    server().open()
    wait(2 * WAIT)
  })
})

it("works where the storage is forbidden, and says what was wrong", () => {
  const reported = vi.fn()
  vi.stubGlobal("reportError", reported)
  const socket = new Socket("ws://example.com/socket", {
    transport: FakeTransport,
    longPollFallbackMs: WAIT,
    sessionStorage: {
      getItem() {
        throw new Error("no reading")
      },
      setItem() {
        throw new Error("no writing")
      },
    },
  })
  exchanges.length = 0
  socket.connect()
  vi.advanceTimersByTime(WAIT)
  vi.advanceTimersByTime(1)
  last().answer({ status: 410, token: "one", messages: [] })
  expect(socket.isConnected()).toBe(true)
  expect(reported.mock.calls.map(([error]) => error.message)).toEqual(["no reading", "no writing"])
  socket.disconnect()
  vi.unstubAllGlobals()
})

it("falls back while the params of the connection are still awaited", () => {
  let asked = 0
  const socket = new Socket("ws://example.com/socket", {
    transport: FakeTransport,
    longPollFallbackMs: WAIT,
    params: () => (asked++ === 0 ? new Promise(() => {}) : { user_id: "alice" }),
  })
  FakeTransport.all = []
  exchanges.length = 0
  socket.connect()
  vi.advanceTimersByTime(WAIT)
  vi.advanceTimersByTime(1)
  expect(FakeTransport.all).toEqual([])
  expect(new URL(last().url).searchParams.get("user_id")).toBe("alice")
  socket.disconnect()
})
