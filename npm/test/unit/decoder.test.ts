// Safari's TextDecoder fails for good once it has decoded 2 GiB in all, which a page that stays open in a large room does.

import { expect, it, vi } from "vitest"
import { useFakeTimers } from "./both.js"
import { person, room } from "./room.js"

const { LIMIT } = vi.hoisted(() => {
  const LIMIT = 10_000
  vi.stubGlobal(
    "TextDecoder",
    class extends TextDecoder {
      #decoded = 0
      override decode(bytes?: any, options?: any): string {
        this.#decoded += bytes?.length ?? 0
        if (this.#decoded > LIMIT) {
          throw new RangeError("Bad value")
        }
        return super.decode(bytes, options)
      }
    },
  )
  return { LIMIT }
})

vi.mock("../../src/constants.js", async (original) => ({ ...(await original()), DECODER_LIMIT: LIMIT }))

useFakeTimers()

it("is made anew before that", () => {
  const { presence, state } = room()
  for (let round = 0; round < 100; round++) {
    state({ ann: person(`a${round}`, { name: "n".repeat(1000) }) })
    expect(presence.list()).toMatchObject([{ metas: [{ phx_ref: `a${round}` }] }])
  }
})
