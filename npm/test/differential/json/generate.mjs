// Texts that are JSON, or nearly.

import { Random } from "../random.mjs"

const PIECES = [
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  '"',
  "\\",
  " ",
  "\t",
  "\n",
  "\r",
  "\v",
  "\0",
  "\x1f",
  "\x7f",
  "\u00a0",
  "\u2028",
  "\ufeff",
  "\ud800",
  "\udc00",
  "é",
  "😀",
  "0",
  "-",
  "+",
  ".",
  "1",
  "9",
  "e",
  "E",
  "1e999",
  "-0",
  "01",
  "1.",
  ".5",
  "0x1",
  "Infinity",
  "NaN",
  "true",
  "false",
  "null",
  "nul",
  "True",
  "undefined",
  "\\u",
  "\\ud800",
  "\\u00e9",
  "\\u12g4",
  "\\n",
  "\\x41",
  "\\'",
  "'a'",
  '"a"',
  '"a":',
  "//",
  "/**/",
  "a string that is longer than sixteen bytes",
]

const SPACES = ["", "", "", "", " ", "\n", "\t\r"]

const value = (random, depth) => {
  const space = () => random.pick(SPACES)
  const kind = random.below(depth > 0 ? 8 : 5)
  const inner = () => `${space()}${value(random, depth - 1)}${space()}`
  switch (kind) {
    case 0:
      return random.pick(["0", "-0", "1.5e-3", "1E+999", "-12345678901234567890", "0.1", "9".repeat(320)])
    case 1:
      return random.pick(["true", "false", "null"])
    case 2:
    case 3:
    case 4:
      return string(random)
    case 5:
    case 6:
      return `{${random.times(random.below(4), () => `${space()}${string(random)}${space()}:${inner()}`).join(",")}}`
    default:
      return `[${random.times(random.below(4), inner).join(",")}]`
  }
}

const string = (random) => {
  const part = () =>
    random.pick([
      "",
      "a",
      "é",
      "\\ud800",
      "\\udc00\\ud800",
      "\ud83d",
      "😀",
      '\\"',
      "\\\\",
      "\\/",
      "\\u0000",
      "\x7f",
      "x".repeat(17),
    ])
  return `"${random.times(random.below(4), part).join("")}"`
}

/** Puts a piece in, or takes a stretch out, somewhere. */
const damaged = (random, text) => {
  const at = random.below(text.length + 1)
  const piece = random.chance(0.7) ? random.pick(PIECES) : ""
  return text.slice(0, at) + piece + text.slice(at + random.below(4))
}

const text = (random) => {
  if (random.chance(0.15)) {
    return random.times(random.below(8), () => random.pick(PIECES)).join("")
  }
  if (random.chance(0.01)) {
    const depth = 1 + random.below(20000)
    return `${"[".repeat(depth)}${"]".repeat(depth - random.below(2))}`
  }
  let made = value(random, 4)
  for (let times = random.below(3); times > 0; times--) {
    made = damaged(random, made)
  }
  return made
}

export const generate = (seed) => {
  const random = new Random(seed)
  return { events: random.times(25, () => ({ text: text(random) })) }
}
