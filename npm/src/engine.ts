// The one instance of the wasm module that everything in this package shares, and the views of its memory.

import { Act, Ask, initSync, Machine, Tag } from "../wasm/presence_wasm.js"
import { DECODER_LIMIT } from "./constants.js"

export { Act, Ask, Machine, Tag }

let memory: WebAssembly.Memory | undefined
let source: () => BufferSource
let bytes: Uint8Array = new Uint8Array(0)
let numbers = new Float64Array(0)
let input: Uint8Array = bytes
/** Kept, as the agenda keeps its batch. */
let encoded: { read: number; written: number }
const encoder = /* @__PURE__ */ new TextEncoder()
let decoder = /* @__PURE__ */ new TextDecoder()
let decoded = 0

/** Says where the wasm comes from; it is compiled when the first object needs it. */
export const provide = (wasm: () => BufferSource): void => {
  source = wasm
}

/** @throws Error where there is no WebAssembly, saying what to do. */
export const requireWebAssembly = (): void => {
  if (typeof WebAssembly === "undefined") {
    throw new Error(
      "phoenix-presence needs WebAssembly, which this browser does not have or has switched off. " +
        "phoenix.js has the same surface and can be loaded instead: see the README, «Without WebAssembly»",
    )
  }
}

/** The error of a compilation, saying what to do where that is known. */
export const explain = (error: unknown): unknown => {
  if (!(error instanceof Error)) {
    return error
  }
  if (/unsafe-eval|Content Security Policy|CSP/i.test(error.message)) {
    return new Error(
      "phoenix-presence may not compile WebAssembly here: the page's Content-Security-Policy needs " +
        "script-src 'wasm-unsafe-eval'",
      { cause: error },
    )
  }
  if (error instanceof RangeError) {
    return new Error(
      "this browser compiles large WebAssembly only asynchronously: use phoenix-presence/slim and await init()",
      { cause: error },
    )
  }
  return error
}

/** Makes the engine of a compiled module, unless there is one. */
export const start = (module: WebAssembly.Module | BufferSource): void => {
  if (memory !== undefined) {
    return
  }
  requireWebAssembly()
  memory = initSync({ module }).memory
}

/** Starts the engine where that has not been done. */
export const ready = (): WebAssembly.Memory => {
  if (memory === undefined) {
    requireWebAssembly()
    try {
      start(source())
    } catch (error) {
      throw explain(error)
    }
  }
  return memory!
}

/** The number of an argument that is not given. */
export const NONE = -1

/** What a machine is made with; times in ms. */
export interface MachineOptions {
  timeout: number
  heartbeatIntervalMs: number
  heartbeatTimeoutMs?: number
  jitter?: number
  maxBuffered?: number
  stopOnRefusal?: boolean
  stopOnJoinRefusal?: boolean
}

/** A machine, once there is an engine. What phoenix.js calls the version is only sent: all but 1 is the new format. */
export const machine = (options: MachineOptions, vsn: string): Machine => {
  ready()
  return new Machine(
    vsn.startsWith("1."),
    options.timeout,
    options.heartbeatIntervalMs,
    options.heartbeatTimeoutMs ?? NONE,
    options.jitter ?? 0,
    Math.random(),
    options.maxBuffered ?? NONE,
    options.stopOnRefusal ?? false,
    options.stopOnJoinRefusal ?? false,
  )
}

/** Has a machine do something; where its outbox stands after that. */
export const act = (machine: Machine, what: Act, now: number, a = 0, b = 0, c = 0): number =>
  checked(machine.act(what, now, a, b, c))

/** What a machine answers. */
export const ask = (machine: Machine, what: Ask, a = 0, b = 0, c = 0, d = 0): number =>
  checked(machine.ask(what, a, b, c, d))

/** What the engine gave back. @throws Error if it says that something was wrong. */
export const checked = (answer: number): number => {
  if (answer < 0) {
    throw new Error(readText(-1 - answer))
  }
  return answer
}

/** The engine's memory as bytes. Any call into the engine can move it, so it is asked for anew after each. */
const asBytes = (): Uint8Array => {
  // What has moved has no length any more.
  if (bytes.length === 0) {
    bytes = new Uint8Array(memory!.buffer)
  }
  return bytes
}

/** The engine's memory as numbers; see `asBytes`. */
export const asNumbers = (): Float64Array => {
  if (numbers.length === 0) {
    numbers = new Float64Array(memory!.buffer)
  }
  return numbers
}

/** The text, of so many bytes, that the last call wrote. */
export const readText = (length: number): string => {
  const at = Machine.text_ptr()
  decoded += length
  if (decoded > DECODER_LIMIT) {
    decoder = new TextDecoder()
    decoded = length
  }
  return decoder.decode(asBytes().subarray(at, at + length))
}

/** The engine's input, with room for so many bytes. */
const inputFor = (length: number): Uint8Array => {
  if (input.length < length) {
    const at = Machine.input(length)
    input = asBytes().subarray(at, at + Machine.input_len())
  }
  return input
}

/** Writes text into the engine's input; its length in bytes. */
export const writeText = (text: string): number => {
  // Most frames are ASCII, so as many bytes as characters are tried first.
  encoded = encoder.encodeInto(text, inputFor(text.length))
  let { read, written } = encoded
  while (read < text.length) {
    const rest = text.slice(read)
    const room = inputFor(written + rest.length * 3)
    const more = encoder.encodeInto(rest, room.subarray(written))
    read += more.read
    written += more.written
  }
  return written
}
