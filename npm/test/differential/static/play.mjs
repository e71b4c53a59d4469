// Plays uses of Presence's static functions over one of the two libraries, and writes down what came of them.

import { Presence } from "phoenix-presence"
import { modelStatics } from "../presence/model.mjs"
import { diffText, stateText } from "../presence/payload.mjs"

const json = (value) => (value === undefined ? "undefined" : JSON.stringify(value))

export const play = (history, modelled) => {
  const { syncState, syncDiff, list } = modelled ? modelStatics : Presence
  const log = []
  const heard =
    (name) =>
    (...args) =>
      log.push(`${name} ${args.map(json).join(" ")}`)
  const states = [{}]
  for (const [at, event] of history.events.entries()) {
    const last = states.at(-1)
    const state = { empty: {}, copy: { ...last }, before: states.at(-2) ?? {} }[event.from] ?? last
    const callbacks = event.quiet ? [] : [heard("onJoin"), heard("onLeave")]
    const isBare = Object.getPrototypeOf(state) === null
    const before = json(state)
    const run = (apply, argument) => {
      const given = json(argument)
      const result = apply(state, argument, ...callbacks)
      states.push(result)
      log.push(`${event.do} ${json(result)} ${Object.getPrototypeOf(result) === null}`)
      log.push(result === state ? "in place" : `anew, from ${json(state)}`)
      if (!modelled && json(argument) !== given) {
        log.push(`the argument became ${json(argument)}`)
      }
    }
    log.push(`event ${at} on ${before} ${isBare}`)
    switch (event.do) {
      case "syncState":
        run(syncState, JSON.parse(stateText(event.list)))
        break
      case "syncDiff":
        run(syncDiff, JSON.parse(diffText(event)))
        break
      case "again": {
        const some = Object.entries(state).filter((_, at) => at % event.every === 0)
        const diff = JSON.parse(diffText({ joins: event.more }))
        for (const [key, value] of some) {
          const half = event.leave ? diff.leaves : diff.joins
          Object.defineProperty(half, key, { value, enumerable: true, configurable: true, writable: true })
        }
        run(syncDiff, diff)
        break
      }
      case "list":
        log.push(json(list(state)), json(list(state, (key, { metas }) => [key, metas[0]])))
    }
  }
  return log
}
