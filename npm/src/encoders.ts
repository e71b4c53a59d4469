// Injected into the entry for `require`, which Jest takes too: its jsdom has none of these, and every browser has.

import * as util from "node:util"

export const { TextDecoder = util.TextDecoder, TextEncoder = util.TextEncoder } = globalThis
