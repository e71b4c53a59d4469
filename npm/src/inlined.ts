import { inflateSync } from "fflate"
import { base64 } from "../wasm/base64.js"

/** The wasm, out of the text that the build made of it. */
export const inlined = (): Uint8Array<ArrayBuffer> => {
  const text = atob(base64)
  const deflated = new Uint8Array(text.length)
  for (let at = 0; at < deflated.length; at++) {
    deflated[at] = text.charCodeAt(at)
  }
  // Node has a faster way, which no bundler has to know of.
  const zlib = (globalThis as any).process?.getBuiltinModule?.("node:zlib")
  return zlib === undefined ? inflateSync(deflated) : zlib.inflateRawSync(deflated)
}
