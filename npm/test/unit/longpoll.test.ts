import { LongPoll as Theirs } from "phoenix"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { LongPoll as Ours } from "../../src/longpoll.js"
import { exchanges, last, playHttp } from "./http.js"

const URL_OF_SOCKET = "ws://example.com/socket/websocket?vsn=2.0.0"

interface Stage {
  poller: any
  log: unknown[]
  /** Lets what waits for its turn happen, and nothing that waits for longer. */
  turn(): Promise<void>
  /** Opens a session. */
  open(): Promise<void>
}

beforeEach(() => {
  vi.useFakeTimers()
  playHttp()
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

const turn = async (): Promise<void> => {
  await vi.advanceTimersByTimeAsync(0)
}

const play = async (
  LongPoll: any,
  protocols: any,
  scenario: (stage: Stage) => Promise<void>,
): Promise<unknown[]> => {
  exchanges.length = 0
  const log: unknown[] = []
  const poller = new LongPoll(URL_OF_SOCKET, protocols)
  poller.timeout = 20_000
  poller.onopen = () => log.push(["open", poller.readyState])
  poller.onerror = (error: any) => log.push(["error", error, poller.readyState])
  poller.onmessage = ({ data }: any) => log.push(["message", data])
  poller.onclose = ({ code, reason, wasClean }: any) =>
    log.push(["close", code, reason, wasClean, poller.readyState])
  const open = async () => {
    await turn()
    last().answer({ status: 410, token: "one", messages: [] })
    await turn()
  }
  await scenario({ poller, log, turn, open })
  await turn()
  for (const { method, url, headers, body, timeout, aborted } of exchanges) {
    const { origin, pathname, searchParams } = new URL(url)
    log.push([method, origin + pathname, [...searchParams], headers, body, timeout, aborted])
  }
  log.push(["at the end", poller.readyState])
  poller.onclose = () => {}
  poller.close()
  return log
}

/** Plays a scenario over phoenix.js's transport and over this one, and expects the same of both. */
const both = async (scenario: (stage: Stage) => Promise<void>, protocols?: string[]): Promise<unknown[]> => {
  const theirs = await play(Theirs, protocols, scenario)
  const ours = await play(Ours, protocols, scenario)
  expect(ours).toEqual(theirs)
  return ours
}

describe("a session", () => {
  it("opens with the server's 410 and its token, and polls on", async () => {
    const log = await both(async ({ open, turn }) => {
      await open()
      last().answer({ status: 204, token: "one", messages: [] })
      await turn()
    })
    expect(log[0]).toEqual(["open", 1])
    expect(log.filter(([what]: any) => what === "GET")).toHaveLength(3)
    expect(log.at(-2)).toEqual([
      "GET",
      "http://example.com/socket/longpoll",
      [
        ["vsn", "2.0.0"],
        ["token", "one"],
      ],
      { Accept: "application/json" },
      null,
      20_000,
      false,
    ])
  })

  it("polls with the token of the last answer", async () => {
    await both(async ({ open, turn }) => {
      await open()
      last().answer({ status: 200, token: "two", messages: [] })
      await turn()
    })
  })

  it("hands out each message in a task of its own", async () => {
    const log = await both(async ({ poller, open, log, turn }) => {
      await open()
      poller.onmessage = ({ data }: any) => {
        log.push(data)
        Promise.resolve()
          .then(() => {})
          .then(() => log.push(`after ${data}`))
      }
      last().answer({ status: 200, token: "one", messages: ["a", "b"] })
      log.push("not yet")
      await turn()
    })
    expect(log.slice(1, 6)).toEqual(["not yet", "a", "after a", "b", "after b"])
  })

  it("sends the token of the auth subprotocol as a header", async () => {
    const token = "sécret".normalize("NFC")
    const log = await both(
      async ({ open }) => open(),
      ["phoenix", `base64url.bearer.phx.${btoa(token).replace(/=/g, "")}`],
    )
    expect(log[1]).toContainEqual({ Accept: "application/json", "X-Phoenix-AuthToken": token })
  })

  it.each([[undefined], [[]], [["phoenix"]], [["phoenix", "something else"]]])(
    "sends no such header for the protocols %j",
    async (protocols) => {
      const log = await both(async ({ open }) => open(), protocols)
      expect(log[1]).toContainEqual({ Accept: "application/json" })
    },
  )

  it.each([
    "ws://example.com/socket/websocket",
    "wss://example.com:4000/a/websocket/websocket?vsn=2.0.0",
    "http://example.com/socket/longpoll",
    "https://example.com/socket/websocket?a=b",
  ])("polls where phoenix.js does for %s", (url) => {
    const [ours, theirs] = [new Ours(url), new Theirs(url)] as any[]
    expect(ours.pollEndpoint).toBe(theirs.pollEndpoint)
    ours.close()
    theirs.close()
  })
})

describe("sending", () => {
  it("sends what is said in one go in one request, and what is said meanwhile in the next", async () => {
    const log = await both(async ({ poller, open, turn }) => {
      await open()
      poller.send("[1]")
      poller.send("[2]")
      await turn()
      poller.send("[3]")
      poller.send("[4]")
      await turn()
      last("POST").answer({ status: 200 })
      await turn()
      last("POST").answer({ status: 200 })
      await turn()
      poller.send("[5]")
      await turn()
    })
    const posts = log.filter(([what]: any) => what === "POST") as any[]
    expect(posts.map(([, , , , body]) => body)).toEqual(["[1]\n[2]", "[3]\n[4]", "[5]"])
    expect(posts[0][3]).toEqual({ "Content-Type": "application/x-ndjson" })
  })

  it("puts at most 100 messages into a request, in order", async () => {
    const log = await both(async ({ poller, open, turn }) => {
      await open()
      for (let number = 0; number < 250; number++) {
        poller.send(`[${number}]`)
      }
      await turn()
      for (let request = 0; request < 3; request++) {
        last("POST").answer({ status: 200 })
        await turn()
      }
    })
    const bodies = log.filter(([what]: any) => what === "POST").map(([, , , , body]: any) => body.split("\n"))
    expect(bodies.map((lines) => lines.length)).toEqual([100, 100, 50])
    expect(bodies.flat()).toEqual([...Array(250).keys()].map((number) => `[${number}]`))
  })

  it("sends binary frames as base64", async () => {
    const log = await both(async ({ poller, open, turn }) => {
      await open()
      poller.send(Uint8Array.from({ length: 256 }, (_, byte) => byte).buffer)
      await turn()
    })
    const [, , , , body] = log.find(([what]: any) => what === "POST") as any[]
    expect([...Buffer.from(body, "base64")]).toEqual([...Array(256).keys()])
  })
})

describe("failing", () => {
  it("says 3410 when the session is gone, and stands as connecting", async () => {
    const log = await both(async ({ open }) => {
      await open()
      last().answer({ status: 410, token: "two", messages: [] })
    })
    expect(log.slice(1, 3)).toEqual([
      ["error", 410, 0],
      ["close", 3410, "session_gone", false, 0],
    ])
  })

  it("closes for good when the server forbids", async () => {
    const log = await both(async ({ turn }) => {
      await turn()
      last().answer({ status: 403 })
    })
    expect(log.slice(0, 2)).toEqual([
      ["error", 403, 0],
      ["close", 1008, "forbidden", false, 3],
    ])
  })

  it.each<[string, (exchange: any) => void]>([
    ["a server's error", (exchange) => exchange.answer({ status: 500 })],
    ["an unreachable server", (exchange) => exchange.fail()],
    ["an empty answer", (exchange) => exchange.answerText("")],
    ["a proxy's error page", (exchange) => exchange.answerText("<html>Bad gateway</html>")],
    ["a poll that takes too long", (exchange) => exchange.expire()],
  ])("closes with 1011 and stands as connecting after %s", async (_what, end) => {
    vi.spyOn(console, "log").mockImplementation(() => {})
    const log = await both(async ({ open }) => {
      await open()
      end(last())
    })
    expect(log.slice(1, 3)).toEqual([
      ["error", 500, 0],
      ["close", 1011, "internal server error", false, 0],
    ])
  })

  it.each<[string, (exchange: any) => void]>([
    ["is refused", (exchange) => exchange.answer({ status: 410 })],
    ["fails", (exchange) => exchange.fail()],
    ["takes too long", (exchange) => exchange.expire()],
  ])("closes when sending %s, dropping what waited", async (_what, end) => {
    const log = await both(async ({ poller, open, turn }) => {
      await open()
      poller.send("[1]")
      await turn()
      poller.send("[2]")
      end(last("POST"))
      await turn()
    })
    expect(log.filter(([what]: any) => what === "close")).toHaveLength(1)
    expect(log.filter(([what]: any) => what === "POST")).toHaveLength(1)
  })

  it("can send again after it was told to retry", async () => {
    await both(async ({ poller, open, turn }) => {
      await open()
      poller.send("[1]")
      await turn()
      last("POST").fail()
      poller.send("[2]")
      await turn()
    })
  })

  it("lets the error's callback close it for good", async () => {
    const log = await both(async ({ poller, open }) => {
      await open()
      poller.onerror = () => poller.close(1000, "enough")
      last().answer({ status: 500 })
    })
    expect(log.filter(([what]: any) => what === "close")).toEqual([["close", 1000, "enough", true, 3]])
  })

  // phoenix.js throws into the browser's event loop there, and polls no more.
  it.each([
    ["an unknown status", { status: 302 }],
    ["messages that are no list", { status: 200, token: "one", messages: "none" }],
    ["an answer that is no object", 5],
  ])("retries after %s", async (_what, answer) => {
    const theirs = await play(Theirs, undefined, async ({ open }) => {
      await open()
      expect(() => last().answer(answer)).toThrow()
    })
    expect(theirs.filter(([what]: any) => what === "close")).toEqual([])
    const log = await play(Ours, undefined, async ({ open }) => {
      await open()
      last().answer(answer)
    })
    expect(log.slice(1, 3)).toEqual([
      ["error", 500, 0],
      ["close", 1011, "internal server error", false, 0],
    ])
  })
})

describe("closing", () => {
  it("says 1005 unless told otherwise", async () => {
    const log = await both(async ({ poller, open }) => {
      await open()
      poller.close()
      poller.close(1000, "bye", false)
    })
    expect(log.slice(1, 3)).toEqual([
      ["close", 1005, undefined, true, 3],
      ["close", 1000, "bye", false, 3],
    ])
  })

  it("gives a CloseEvent where there are any", async () => {
    class CloseEvent {
      readonly by = "the browser"
      constructor(
        readonly type: string,
        readonly info: object,
      ) {}
    }
    vi.stubGlobal("CloseEvent", CloseEvent)
    const poller = new Ours(URL_OF_SOCKET)
    const closed = vi.fn()
    poller.onclose = closed
    poller.close(1000, "bye")
    expect(closed.mock.lastCall).toEqual([
      { by: "the browser", type: "close", info: { code: 1000, reason: "bye", wasClean: true } },
    ])
  })

  it("aborts what is under way and drops what has come or was to go", async () => {
    const log = await both(async ({ poller, open, turn }) => {
      await open()
      poller.send("[1]")
      await turn()
      poller.send("[2]")
      last().answer({ status: 200, token: "one", messages: ["too late"] })
      poller.close()
      await turn()
    })
    expect(log.some(([what]: any) => what === "message")).toBe(false)
    const ends = log.filter(([what]: any) => what === "GET" || what === "POST")
    expect(ends.map(([method, , , , , , aborted]: any) => [method, aborted])).toEqual([
      ["GET", false],
      ["GET", false],
      ["POST", true],
      ["GET", true],
    ])
  })

  it("sends nothing if closed at once", async () => {
    const log = await both(async ({ poller, turn }) => {
      poller.close()
      await turn()
    })
    expect(log).toEqual([
      ["close", 1005, undefined, true, 3],
      ["at the end", 3],
    ])
  })

  it("does not poll on if closed while it opens", async () => {
    const log = await both(async ({ poller, open, log }) => {
      poller.onopen = () => {
        log.push("open")
        poller.close()
      }
      await open()
    })
    expect(log.filter(([what]: any) => what === "GET")).toHaveLength(1)
  })
})

describe("without XMLHttpRequest", () => {
  beforeEach(() => playHttp("fetch"))

  it("does the same by fetch", async () => {
    const log = await both(async ({ poller, open, turn }) => {
      await open()
      poller.send("[1]")
      await turn()
      last("POST").answer({ status: 200 })
      last().answer({ status: 200, token: "one", messages: ["[2]"] })
      await turn()
      last().fail()
      await turn()
    })
    expect(log.slice(0, 4)).toEqual([
      ["open", 1],
      ["message", "[2]"],
      ["error", 500, 0],
      ["close", 1011, "internal server error", false, 0],
    ])
  })

  it("ends requests that take too long, and says so", async () => {
    const log = await both(async ({ open, turn }) => {
      await open()
      last().expire()
      await turn()
    })
    expect(log.slice(1, 3)).toEqual([
      ["error", "timeout", 0],
      ["close", 1005, "timeout", false, 0],
    ])
    expect(exchanges.map(({ aborted }) => aborted)).toEqual([false, true])
  })

  it("aborts by AbortController, and hears nothing of it", async () => {
    const log = await both(async ({ poller, open, turn }) => {
      await open()
      poller.close()
      await turn()
    })
    expect(log.filter(([what]: any) => what === "error")).toEqual([])
    expect(exchanges.map(({ aborted }) => aborted)).toEqual([false, true])
  })

  it("leaves no timer behind", async () => {
    await play(Ours, undefined, async ({ open, turn }) => {
      await open()
      last().answer({ status: 204, token: "one", messages: [] })
      await turn()
    })
    expect(vi.getTimerCount()).toBe(0)
  })
})

it("reports that there is nothing to send requests by, and closes", async () => {
  playHttp("nothing")
  const reported = vi.fn()
  vi.stubGlobal("reportError", reported)
  const log = await play(Ours, undefined, async ({ turn }) => turn())
  expect(String(reported.mock.lastCall)).toContain("XMLHttpRequest, or fetch and AbortController")
  expect(log.map(([what]: any) => what)).toEqual(["error", "close", "at the end"])
})

it("reports that its URL is none, and closes", async () => {
  // As browsers do.
  vi.spyOn(XMLHttpRequest.prototype, "open").mockImplementation(() => {
    throw new SyntaxError("Invalid URL")
  })
  const reported = vi.fn()
  vi.stubGlobal("reportError", reported)
  const log = await play(Ours, undefined, async ({ turn }) => turn())
  expect(String(reported.mock.lastCall)).toContain("Invalid URL")
  expect(log.map(([what]: any) => what)).toEqual(["error", "close", "at the end"])
})

it("asks first for a URL without an empty parameter, which phoenix.js's has", async () => {
  const first = async (LongPoll: any) => {
    await play(LongPoll, undefined, ({ turn }) => turn())
    return exchanges[0].url
  }
  expect(await first(Theirs)).toBe("http://example.com/socket/longpoll?vsn=2.0.0&")
  expect(await first(Ours)).toBe("http://example.com/socket/longpoll?vsn=2.0.0")
})
