// One scenario, run over phoenix.js and over this package: what they send, call and show must be the same.

import * as phoenix from "phoenix"
import { afterEach, beforeEach, expect, vi } from "vitest"
import * as ours from "../../src/index.js"

/** A transport that the test plays the server's part of. */
export class FakeTransport {
  static all: FakeTransport[] = []
  readyState = 0
  bufferedAmount = 0
  sent: any[] = []
  onopen: any
  onclose: any
  onerror: any
  onmessage: any
  constructor(
    readonly url: string,
    readonly protocols?: string[],
  ) {
    FakeTransport.all.push(this)
  }
  send(data: any) {
    this.sent.push(data)
  }
  /** As a WebSocket does, it says later that it has closed. */
  close(code?: number, reason?: string) {
    if (this.readyState < 2) {
      this.readyState = 2
      setTimeout(() => {
        this.readyState = 3
        this.onclose?.({ code: code ?? 1005, reason: reason ?? "", wasClean: true })
      }, 1)
    }
  }
  /** The server accepts. */
  open() {
    this.readyState = 1
    this.onopen({})
  }
  /** The connection is lost. */
  lose(code = 1006) {
    this.readyState = 3
    this.onerror?.({ type: "error" })
    this.onclose?.({ code, reason: "", wasClean: false })
  }
  receive(...message: unknown[]) {
    this.onmessage({ data: JSON.stringify(message) })
  }
}

/** What a scenario is played with. */
export interface Stage {
  lib: any
  socket: any
  log: unknown[]
  /** A callback that logs its name and arguments. */
  heard(name: string): (...args: any[]) => void
  /** The transport made last. */
  server(): FakeTransport
  wait(ms: number): void
}

const plain = (value: any): any =>
  value === undefined || typeof value === "function"
    ? typeof value
    : value instanceof ArrayBuffer
      ? [...new Uint8Array(value)]
      : JSON.parse(JSON.stringify(value))

const play = (lib: any, options: object, scenario: (stage: Stage) => void): unknown[] => {
  FakeTransport.all = []
  const log: unknown[] = []
  const socket = new lib.Socket("ws://example.com/socket", { transport: FakeTransport, ...options })
  scenario({
    lib,
    socket,
    log,
    heard:
      (name) =>
      (...args) =>
        log.push([name, ...args.map(plain)]),
    server: () => FakeTransport.all.at(-1)!,
    wait: (ms) => vi.advanceTimersByTime(ms),
  })
  for (const transport of FakeTransport.all) {
    log.push([
      "transport",
      transport.url,
      transport.protocols,
      transport.readyState,
      transport.sent.map(plain),
    ])
  }
  socket.disconnect()
  vi.clearAllTimers()
  return log
}

/** Plays a scenario over both, and expects the same of both. Returns what it was. */
export const both = (scenario: (stage: Stage) => void, options: object = {}): unknown[] => {
  const theirs = play(phoenix, options, scenario)
  const mine = play(ours, options, scenario)
  expect(mine).toEqual(theirs)
  return mine
}

/** Connects, and joins a channel, whose callbacks are logged. */
export const join = ({ socket, heard, server }: Stage, topic = "room:1", params?: any) => {
  const channel = socket.channel(topic, params)
  channel.onError(heard("onError"))
  channel.onClose(heard("onClose"))
  channel
    .join()
    .receive("ok", heard("join ok"))
    .receive("error", heard("join error"))
    .receive("timeout", heard("join timeout"))
  if (!socket.isConnected()) {
    socket.connect()
    server().open()
  }
  return channel
}

/** The server's answer to the message sent last. */
export const reply = ({ server }: Stage, status = "ok", response: any = {}) => {
  const [joinRef, ref, topic] = JSON.parse(server().sent.at(-1))
  server().receive(joinRef, ref, topic, "phx_reply", { status, response })
}

/** Fake timers for a file's tests. */
export const useFakeTimers = (): void => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })
}
