import { length, splitLength, unpacker } from "../wasm/unpacker.js"

const PAGE = 65_536

/** The wasm that was packed, unpacked by another, small one. */
export const unpack = (packed: string): Uint8Array<ArrayBuffer> => {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytesOf(unpacker, "hex")))
  const { memory, unpack } = exports as {
    memory: WebAssembly.Memory
    unpack(
      from: number,
      fromLength: number,
      split: number,
      splitLength: number,
      to: number,
      toLength: number,
    ): void
  }
  const input = bytesOf(packed, "base64")
  const from = memory.grow(Math.ceil((input.length + splitLength + length) / PAGE)) * PAGE
  const split = from + input.length
  const to = split + splitLength
  new Uint8Array(memory.buffer).set(input, from)
  unpack(from, input.length, split, splitLength, to, length)
  return new Uint8Array(memory.buffer, to, length)
}

const bytesOf = (text: string, encoding: "hex" | "base64"): Uint8Array<ArrayBuffer> => {
  const { Buffer } = globalThis as any
  if (Buffer) {
    return Buffer.from(text, encoding)
  }
  return encoding === "hex" ? bytesOfDigits(text) : bytesOfBase64(text)
}

/** By a plain loop, which is four times as fast as `match` and `Uint8Array.from`. */
const bytesOfDigits = (digits: string): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(digits.length / 2)
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16)
  }
  return bytes
}

const bytesOfBase64 = (base64: string): Uint8Array<ArrayBuffer> => {
  // New in browsers; the rest costs 5 ms at the start of a page.
  if ("fromBase64" in Uint8Array) {
    return (Uint8Array as any).fromBase64(base64)
  }
  const text = atob(base64)
  return new Uint8Array(text.length).map((_, at) => text.charCodeAt(at))
}
