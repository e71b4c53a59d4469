import { Tag } from "./engine.js"
import { Frame } from "./frame.js"

/** What a machine left to do, and the frame it came from. */
interface Batch {
  /** A plain array: for so few numbers making a typed one costs more than all that is done with them. */
  words: number[]
  at: number
  end: number
  frame: Frame
  next: Batch | null
}

/** What machines leave to do, one thing after the other: what is left meanwhile comes after all that was there. */
export class Agenda {
  readonly #step: (tag: number, words: number[], at: number, frame: Frame) => void
  #first: Batch | null = null
  #last: Batch | null = null
  /**
   * The first, whenever there is one: used again and again, without emptying its array, which V8 does slowly. (It also
   * throws its best code away at a collection that finds no object of a shape it counts on.)
   */
  readonly #batch = batchOf(Frame.none)

  /** `step` does one thing, whose numbers begin at `at`. */
  constructor(step: (tag: number, words: number[], at: number, frame: Frame) => void) {
    this.#step = step
  }

  /** Does what an outbox has from `start` to `end`, with all that is still to do before that. */
  add(numbers: Float64Array, start: number, end: number, frame: Frame): void {
    let batch = this.#batch
    if (this.#first === null) {
      this.#first = batch
      batch.frame = frame
    } else {
      batch = batchOf(frame)
      this.#last!.next = batch
    }
    this.#last = batch
    batch.at = 0
    batch.end = end - start
    for (let word = 0; word < batch.end; word++) {
      batch.words[word] = numbers[start + word]
    }
    this.work()
  }

  /** Does all that is still to do. */
  work(): void {
    for (let batch = this.#first; batch !== null; batch = this.#first) {
      const { words, at, frame } = batch
      if (at === batch.end) {
        this.#first = batch.next
        batch.next = null
        batch.frame = Frame.none
      } else {
        const size = SIZES[words[at]]
        if (size === undefined) {
          this.#first = null
          batch.next = null
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

const batchOf = (frame: Frame): Batch => ({ words: [], at: 0, end: 0, frame, next: null })

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
SIZES[Tag.Presence] = 3
