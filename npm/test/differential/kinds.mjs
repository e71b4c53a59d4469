import "./page.mjs"
import * as presenceGenerate from "./presence/generate.mjs"
import * as presencePlay from "./presence/play.mjs"
import * as socketGenerate from "./socket/generate.mjs"
import * as socketPlay from "./socket/play.mjs"
import * as staticGenerate from "./static/generate.mjs"
import * as staticPlay from "./static/play.mjs"

/** The kinds of histories, as often as they come in ten. */
const TENTHS = { presence: 6, static: 1, socket: 3 }

const MODULES = {
  presence: { ...presenceGenerate, ...presencePlay },
  socket: { ...socketGenerate, ...socketPlay },
  static: { ...staticGenerate, ...staticPlay },
}

export const KINDS = Object.keys(TENTHS)

const TURNS = KINDS.flatMap((kind) => new Array(TENTHS[kind]).fill(kind))

export const kindOf = (index) => TURNS[index % TURNS.length]

/** A kind's `generate(seed)` and `play(history, modelled)`. */
export const load = (kind) => MODULES[kind]
