// Makes a failing history small: takes away what it fails without.

/** The smallest history found that `fails`, starting from one that does. Histories are plain data. */
export const shrink = (history, fails, budget = 4000) => {
  let best = history
  let tries = 0
  const attempt = (candidate) => {
    if (tries++ < budget && fails(candidate)) {
      best = candidate
      return true
    }
    return false
  }
  for (let again = true; again && tries < budget; ) {
    again = false
    for (const path of arrays(best)) {
      again = shrinkArray(path, () => best, attempt) || again
    }
    for (const [path, simpler] of simplifications(best)) {
      const here = get(best, path)
      if (here !== undefined && here !== simpler) {
        again = attempt(set(best, path, simpler)) || again
      }
    }
  }
  return best
}

/** Takes chunks of an array away, halves first and single items last. */
const shrinkArray = (path, current, attempt) => {
  let shrunk = false
  for (let size = get(current(), path)?.length ?? 0; size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; ; ) {
      const array = get(current(), path)
      if (!Array.isArray(array) || at >= array.length) {
        break
      }
      if (attempt(set(current(), path, [...array.slice(0, at), ...array.slice(at + size)]))) {
        shrunk = true
      } else {
        at += size
      }
    }
  }
  return shrunk
}

function* arrays(value, path = []) {
  if (Array.isArray(value)) {
    yield path
  }
  if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      yield* arrays(inner, [...path, key])
    }
  }
}

/** Optional things go; values become plain. */
function* simplifications(value, path = []) {
  if (typeof value !== "object" || value === null) {
    return
  }
  for (const [key, inner] of Object.entries(value)) {
    if (key === "value") {
      yield [[...path, key], "1"]
    } else if (OPTIONAL.has(key)) {
      yield [[...path, key], undefined]
    }
    yield* simplifications(inner, [...path, key])
  }
}

const OPTIONAL = new Set([
  "decode",
  "vsn",
  "hook",
  "foreign",
  "space",
  "names",
  "changes",
  "from",
  "refAt",
  "how",
])

const get = (value, path) => path.reduce((inner, key) => inner?.[key], value)

const set = (value, [key, ...rest], inner) => {
  if (key === undefined) {
    return inner
  }
  const copy = Array.isArray(value) ? [...value] : { ...value }
  copy[key] = set(value[key], rest, inner)
  return copy
}
