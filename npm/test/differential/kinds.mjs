import "./page.mjs"

import * as jsonGenerate from "./json/generate.mjs"
import * as jsonPlay from "./json/play.mjs"
import * as presenceGenerate from "./presence/generate.mjs"
import * as presencePlay from "./presence/play.mjs"
import * as socketGenerate from "./socket/generate.mjs"
import * as socketPlay from "./socket/play.mjs"
import * as staticGenerate from "./static/generate.mjs"
import * as staticPlay from "./static/play.mjs"

// It was there for phoenix.js to find. Only sockets live on it.
globalThis.window = undefined

/** The kinds of histories, as often as they come in ten. */
const TENTHS = { presence: 5, static: 1, socket: 3, json: 1 }

const MODULES = {
  presence: { ...presenceGenerate, ...presencePlay },
  json: { ...jsonGenerate, ...jsonPlay },
  socket: { ...socketGenerate, ...socketPlay },
  static: { ...staticGenerate, ...staticPlay },
}

export const KINDS = Object.keys(TENTHS)

const TURNS = KINDS.flatMap((kind) => new Array(TENTHS[kind]).fill(kind))

export const kindOf = (index) => TURNS[index % TURNS.length]

/** A kind's `generate(seed)` and `play(history, modelled)`. */
export const load = (kind) => MODULES[kind]
