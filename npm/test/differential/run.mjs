// Random histories over this package and the pinned phoenix.js, side by side. What is seen must be the same, but for
// the differences that the README lists, which the play of phoenix.js is made to have.
//
//   node run.mjs [--count N] [--minutes M] [--seed S] [--kind presence|static|socket|json] [--only I] [--workers W]

import { availableParallelism } from "node:os"
import { parseArgs } from "node:util"
import { Worker } from "node:worker_threads"
import { KINDS, kindOf } from "./kinds.mjs"

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100000" },
    minutes: { type: "string" },
    seed: { type: "string" },
    kind: { type: "string" },
    only: { type: "string" },
    workers: { type: "string", default: String(Math.min(availableParallelism(), 8)) },
  },
})
const number = (name) => {
  const value = Number(values[name])
  if (!(value >= 0)) {
    console.error(`--${name} must be a number, but is ${values[name]}`)
    process.exit(2)
  }
  return value
}
if (values.kind !== undefined && !KINDS.includes(values.kind)) {
  console.error(`--kind must be one of ${KINDS.join(", ")}, but is ${values.kind}`)
  process.exit(2)
}

const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 32))
const started = performance.now()
const deadline =
  values.minutes === undefined ? Number.POSITIVE_INFINITY : Date.now() + number("minutes") * 60_000
const only = values.only === undefined ? null : number("only")
const count =
  only !== null ? only + 1 : values.minutes === undefined ? number("count") : Number.MAX_SAFE_INTEGER
const workers = only !== null ? 1 : Math.max(1, Math.min(number("workers"), count))
console.log(
  `histories: ${Number.isFinite(deadline) ? `${values.minutes} minutes of them` : count}, seed ${seed}, ${workers} workers`,
)

const done = Object.fromEntries(KINDS.map((kind) => [kind, 0]))
const failures = []
const CHUNK = 200
/** After so many a worker is replaced: what it forgot is collected late, since it is never idle. */
const CHUNKS = 20
let next = only ?? 0

const over = () => next >= count || Date.now() >= deadline || failures.length > 0

await Promise.all(
  Array.from({ length: workers }, async () => {
    while (!over()) {
      await oneWorker()
    }
  }),
)

function oneWorker() {
  let chunks = 0
  const worker = new Worker(new URL("worker.mjs", import.meta.url), {
    workerData: { seed, kind: values.kind },
  })
  const feed = () => {
    if (over() || chunks++ === CHUNKS) {
      worker.postMessage(null)
    } else {
      const from = next
      next = Math.min(count, next + CHUNK)
      worker.postMessage({ from, to: next })
    }
  }
  worker.on("message", ({ from, to, failure }) => {
    for (let index = from; index < to; index++) {
      done[values.kind ?? kindOf(index)]++
    }
    if (failure) {
      failures.push(failure)
    }
    feed()
  })
  feed()
  return new Promise((resolve, reject) => {
    worker.on("error", reject)
    worker.on("exit", resolve)
  })
}

const seconds = ((performance.now() - started) / 1000).toFixed(1)
const counts = KINDS.map((kind) => `${done[kind]} ${kind}`).join(", ")
if (failures.length > 0) {
  const first = failures.sort((a, b) => a.index - b.index)[0]
  console.error(first.report)
  const kind = values.kind === undefined ? "" : ` --kind ${values.kind}`
  console.error(`\nAgain: node test/differential/run.mjs --seed ${seed} --only ${first.index}${kind}`)
  process.exit(1)
}
const sum = KINDS.reduce((sum, kind) => sum + done[kind], 0)
if (sum === 0) {
  console.error("no history was played")
  process.exit(1)
}
console.log(`${sum} histories the same over both (${counts}) in ${seconds} s, seed ${seed}`)
