import { parentPort, workerData } from "node:worker_threads"
import { kindOf, load } from "./kinds.mjs"
import { shrink } from "./shrink.mjs"

const { seed, kind } = workerData

/** What a play came to: what was seen, or that it broke down, which is a difference too. */
const seen = (play, history, modelled) => {
  try {
    return play(history, modelled)
  } catch (error) {
    return [`broke down: ${error.stack}`]
  }
}

const differs = (play) => (history) => {
  const [theirs, mine] = [seen(play, history, true), seen(play, history, false)]
  return theirs.length !== mine.length || theirs.some((line, at) => line !== mine[at])
}

const report = (index, play, history, small) => {
  const [theirs, mine] = [seen(play, small, true), seen(play, small, false)]
  const first = theirs.findIndex((line, at) => line !== mine[at])
  const at = first < 0 ? theirs.length : first
  const part = (log, at) =>
    log
      .slice(at, at + 3)
      .map((line) => `    ${line}`)
      .join("\n")
  const event = (event) => `    ${JSON.stringify(event)}`
  const { events, ...setting } = small
  return [
    `history ${index} of seed ${seed} differs (${history.events.length} events, ${events.length} once shrunk)`,
    `  setting: ${JSON.stringify(setting)}`,
    "  events:",
    ...events.map(event),
    "  seen before:",
    ...theirs.slice(Math.max(0, at - 5), at).map((line) => `    ${line}`),
    `  phoenix.js, as modelled:\n${part(theirs, at)}`,
    `  this package:\n${part(mine, at)}`,
  ].join("\n")
}

parentPort.on("message", (work) => {
  if (work === null) {
    parentPort.close()
    return
  }
  const { from, to } = work
  for (let index = from; index < to; index++) {
    const { generate, play } = load(kind ?? kindOf(index))
    const history = generate(`${seed}:${index}`)
    if (differs(play)(history)) {
      const small = shrink(history, differs(play))
      parentPort.postMessage({
        from,
        to: index + 1,
        failure: { index, report: report(index, play, history, small) },
      })
      return
    }
  }
  parentPort.postMessage({ from, to })
})
