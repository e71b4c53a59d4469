// HTTP that the test plays the server's part of.

import { vi } from "vitest"

/** A request under way, whatever it was sent by. */
export interface Exchange {
  method: string
  url: string
  headers: Record<string, string>
  body: any
  timeout: number | undefined
  aborted: boolean
  /** The server answers. */
  answer(json: unknown): void
  answerText(text: string): void
  /** The network fails. */
  fail(): void
  /** It takes too long. */
  expire(): void
}

export const exchanges: Exchange[] = []

/** An XMLHttpRequest that does as browsers do: everything that ends it makes it `DONE` first. */
class FakeXhr implements Exchange {
  method = ""
  url = ""
  headers: Record<string, string> = {}
  body: any
  timeout: number | undefined
  aborted = false
  readyState = 0
  status = 0
  responseText = ""
  onreadystatechange: (() => void) | undefined
  onerror: (() => void) | undefined
  ontimeout: (() => void) | undefined

  open(method: string, url: string) {
    this.method = method
    this.url = url
  }
  setRequestHeader(name: string, value: string) {
    this.headers[name] = value
  }
  send(body: any) {
    this.body = body
    exchanges.push(this)
  }
  abort() {
    this.aborted = true
    this.#done()
  }
  answer(json: unknown) {
    this.answerText(JSON.stringify(json))
  }
  answerText(text: string) {
    this.status = 200
    this.responseText = text
    this.#done()
  }
  fail() {
    this.#done()
    this.onerror?.()
  }
  expire() {
    this.#done()
    this.ontimeout?.()
  }
  #done() {
    if (this.readyState !== 4) {
      this.readyState = 4
      this.onreadystatechange?.()
    }
  }
}

/** A fetch; its exchanges end in promises, so a test awaits what follows. */
const fakeFetch = (url: string, options: any): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const exchange: Exchange = {
      url,
      method: options.method,
      headers: options.headers,
      body: options.body,
      timeout: undefined,
      aborted: false,
      answer: (json) => exchange.answerText(JSON.stringify(json)),
      answerText: (text) => resolve({ text: async () => text }),
      fail: () => reject(new TypeError("Failed to fetch")),
      expire: () => vi.advanceTimersByTime(20_000),
    }
    options.signal?.addEventListener("abort", () => {
      exchange.aborted = true
      reject(new DOMException("The operation was aborted.", "AbortError"))
    })
    exchanges.push(exchange)
  })

/** Takes the network's place with XMLHttpRequest, or without one. */
export const playHttp = (by: "xhr" | "fetch" | "nothing" = "xhr"): void => {
  exchanges.length = 0
  vi.stubGlobal("XMLHttpRequest", by === "xhr" ? FakeXhr : undefined)
  vi.stubGlobal("fetch", by === "fetch" ? fakeFetch : undefined)
}

/** The request sent last. */
export const last = (method = "GET"): Exchange => {
  const exchange = exchanges.filter((exchange) => exchange.method === method).at(-1)
  if (exchange === undefined) {
    throw new Error(`no ${method} was sent`)
  }
  return exchange
}
