import { Tag } from "./engine.js"
import { Frame } from "./frame.js"

/** What a machine left to do, and the frame it came from. */
interface Batch {
  words: number[]
  at: number
  frame: Frame
}

/** What machines leave to do, one thing after the other: what is left meanwhile comes after all that was there. */
export class Agenda {
  readonly #step: (tag: number, words: number[], at: number, frame: Frame) => void
  readonly #batches: Batch[] = []
  /** Used again and again: V8 throws its best code away at a collection that finds no object of a shape it counts on. */
  readonly #batch: Batch = { words: [], at: 0, frame: Frame.none }

  /** `step` does one thing, whose numbers begin at `at`. */
  constructor(step: (tag: number, words: number[], at: number, frame: Frame) => void) {
    this.#step = step
  }

  /** Does what an outbox has from `start` to `end`, with all that is still to do before that. */
  add(numbers: Float64Array, start: number, end: number, frame: Frame): void {
    const batch = this.#batches.length === 0 ? this.#batch : { words: [], at: 0, frame }
    batch.frame = frame
    // A plain array: for so few numbers making a typed one costs more than all that is done with them.
    for (let word = start; word < end; word++) {
      batch.words.push(numbers[word])
    }
    this.#batches.push(batch)
    this.#work()
  }

  #work(): void {
    for (let batch = this.#batches[0]; batch !== undefined; batch = this.#batches[0]) {
      const { words, at, frame } = batch
      if (at === words.length) {
        this.#batches.shift()
        batch.words.length = 0
        batch.at = 0
        batch.frame = Frame.none
      } else {
        const size = SIZES[words[at]]
        if (size === undefined) {
          this.#batches.length = 0
          words.length = 0
          batch.at = 0
          throw new Error(
            "presence.wasm and phoenix-presence are of different versions: use those of one package",
          )
        }
        batch.at += 1 + size
        this.#step(words[at], words, at + 1, frame)
      }
    }
  }
}

/** How many numbers follow each tag. */
const SIZES: number[] = []
SIZES[Tag.Connect] = 1
SIZES[Tag.Prepare] = 3
SIZES[Tag.Send] = 6
SIZES[Tag.SendRaw] = 2
SIZES[Tag.Close] = 2
SIZES[Tag.Opened] = 1
SIZES[Tag.Failed] = 1
SIZES[Tag.Closed] = 2
SIZES[Tag.GaveUp] = 2
SIZES[Tag.Disconnected] = 1
SIZES[Tag.ChannelErrored] = 2
SIZES[Tag.ChannelClosed] = 2
SIZES[Tag.JoinGaveUp] = 1
SIZES[Tag.PushTimeout] = 1
SIZES[Tag.PushLeft] = 1
SIZES[Tag.PushDisconnected] = 1
SIZES[Tag.PresenceStatus] = 1
SIZES[Tag.DelayNeeded] = 2
SIZES[Tag.Deliver] = 4
SIZES[Tag.Received] = 0
SIZES[Tag.Presence] = 2
SIZES[Tag.PresenceRead] = 2
