// Values that the engine has written (`values.rs`).

import { asNumbers, Machine, readText } from "./engine.js"

/** Values, and the numbers from `at` to `end` that say what they are for. */
export interface Written {
  values: any[]
  numbers: Float64Array
  at: number
  end: number
}

const HEAD = 2
const STRING = 0

/** So many layouts are known at a time; the engine knows half of that. */
const KEPT = 8

/** A meta that is built like others. */
interface Layout {
  layout: number
  names: string[]
  areStrings: boolean[]
  meta: any
}

/** How metas of a presence are built, by the engine's numbers: whoever is built like another is not parsed. */
export class Layouts {
  readonly #known: Layout[] = []

  /** What the last call wrote, with so many numbers. */
  read(count: number): Written {
    const numbers = asNumbers()
    const head = Machine.numbers_ptr() / 8
    const length = numbers[head]
    const end = head + numbers[head + 1]
    const text = length === 0 ? "[]" : readText(length)
    // Only in ASCII are bytes characters.
    const isSaid = end < head + count && text.length === length
    let values = isSaid ? this.#build(text, numbers, end, head + count) : null
    if (values === null) {
      values = JSON.parse(text) as any[]
      if (isSaid) {
        this.#learn(values, numbers, end)
      }
    }
    return { values, numbers, at: head + HEAD, end }
  }

  /** Null, if one is built as none that is known. */
  #build(text: string, numbers: Float64Array, at: number, end: number): any[] | null {
    const values: any[] = []
    while (at < end) {
      const layout = numbers[at++]
      if (layout === STRING) {
        values.push(text.slice(numbers[at], numbers[at + 1]))
        at += 2
        continue
      }
      const known = this.#known[layout % KEPT]
      if (known?.layout !== layout) {
        return null
      }
      const { names, areStrings, meta } = known
      const value = { ...meta }
      for (let place = 0; place < names.length; place++) {
        const json = text.slice(numbers[at], numbers[at + 1])
        value[names[place]] = areStrings[place] ? json : scalarOf(json)
        at += 2
      }
      values.push(value)
    }
    return values
  }

  #learn(values: any[], numbers: Float64Array, at: number): void {
    for (const value of values) {
      const layout = numbers[at]
      const names = Object.keys(value)
      at += 1 + 2 * (layout === STRING ? 1 : names.length)
      if (layout !== STRING) {
        const areStrings = names.map((name) => typeof value[name] === "string")
        this.#known[layout % KEPT] = { layout, names, areStrings, meta: { ...value } }
      }
    }
  }
}

const scalarOf = (json: string): any =>
  json === "true" ? true : json === "false" ? false : json === "null" ? null : Number(json)
