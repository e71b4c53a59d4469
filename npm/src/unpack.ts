import { length, splitLength, unpacker } from "../wasm/unpacker.js"

const PAGE = 65_536

/** The wasm that was packed, unpacked by another, small one. */
export const unpack = (packed: string): Uint8Array<ArrayBuffer> => {
  const code = Uint8Array.from(unpacker.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16))
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code))
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
  const input = bytesOf(packed)
  const from = memory.grow(Math.ceil((input.length + splitLength + length) / PAGE)) * PAGE
  const split = from + input.length
  const to = split + splitLength
  new Uint8Array(memory.buffer).set(input, from)
  unpack(from, input.length, split, splitLength, to, length)
  return new Uint8Array(memory.buffer, to, length)
}

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => {
  // New in browsers; the rest costs 5 ms at the start of a page.
  if ("fromBase64" in Uint8Array) {
    return (Uint8Array as any).fromBase64(base64)
  }
  const text = atob(base64)
  return new Uint8Array(text.length).map((_, at) => text.charCodeAt(at))
}
