import { Tag } from "./engine.js"
import { Frame } from "./frame.js"

interface Batch {
  /** A plain array: for so few numbers making a typed one costs more than all that is done with them. */
  readonly words: number[]
  length: number
}

/**
 * What machines leave to do, one thing after the other. What is left by a call that user code makes meanwhile is done
 * within that call, as in phoenix.js.
 */
export class Agenda {
  readonly #step: (tag: number, words: number[], at: number, frame: Frame) => void
  /**
   * By how deep calls are nested: used again and again, without emptying their arrays, which V8 does slowly. (It also
   * throws its best code away at a collection that finds no object of a shape it counts on.)
   */
  readonly #batches: Batch[] = [{ words: [], length: 0 }]
  #depth = 0

  /** `step` does one thing, whose numbers begin at `at`. */
  constructor(step: (tag: number, words: number[], at: number, frame: Frame) => void) {
    this.#step = step
  }

  /** Does what an outbox has from `start` to `end`. */
  work(numbers: Float64Array, start: number, end: number, frame: Frame): void {
    this.#batches[this.#depth] ??= { words: [], length: 0 }
    const batch = this.#batches[this.#depth++]
    batch.length = 0
    put(batch, numbers, start, end)
    try {
      for (let at = 0; at < batch.length; ) {
        const tag = batch.words[at]
        const size = SIZES[tag]
        if (size === undefined) {
          throw new Error(
            "presence.wasm and phoenix-presence are of different versions: use those of one package",
          )
        }
        this.#step(tag, batch.words, at + 1, frame)
        at += 1 + size
      }
    } finally {
      this.#depth--
    }
  }

  /** Has it done after all that there is to do at this depth. */
  append(numbers: Float64Array, start: number, end: number): void {
    if (this.#depth === 0) {
      this.work(numbers, start, end, Frame.none)
    } else {
      put(this.#batches[this.#depth - 1], numbers, start, end)
    }
  }
}

const put = (batch: Batch, numbers: Float64Array, start: number, end: number): void => {
  const { words } = batch
  for (let word = start; word < end; word++) {
    words[batch.length++] = numbers[word]
  }
}

/** How many numbers follow each tag. */
const SIZES: Record<number, number | undefined> = {
  [Tag.Connect]: 1,
  [Tag.Prepare]: 3,
  [Tag.Send]: 5,
  [Tag.SendRaw]: 2,
  [Tag.Close]: 2,
  [Tag.Opened]: 0,
  [Tag.Failed]: 1,
  [Tag.Closed]: 0,
  [Tag.GaveUp]: 1,
  [Tag.Disconnected]: 1,
  [Tag.ChannelErrored]: 2,
  [Tag.ChannelClosed]: 2,
  [Tag.JoinGaveUp]: 1,
  [Tag.PushTimeout]: 1,
  [Tag.PushLeft]: 1,
  [Tag.PushDisconnected]: 1,
  [Tag.PresenceStatus]: 1,
  [Tag.DelayNeeded]: 2,
  [Tag.Deliver]: 4,
  [Tag.Presence]: 3,
} satisfies Record<Tag, number>
