import { inflateSync } from "fflate"
import { base64 } from "../wasm/base64.js"

/** The wasm, out of the text that the build made of it. */
export const inlined = (): Uint8Array<ArrayBuffer> =>
  inflateSync(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)))
