// The payloads of random states and diffs: as text, since JSON allows more than any JSON writer writes (keys twice,
// escapes, numbers in odd forms), and as data, so that they can be shrunk.

/** Keys as they stand in JSON. */
const KEYS = [
  '"ann"',
  '"bob"',
  '"eve"',
  '"é世😀"',
  '""',
  '"__proto__"',
  '"constructor"',
  '"hasOwnProperty"',
  '"toString"',
  '"0"',
  '"7"',
  '"10"',
  '"01"',
  '"-0"',
  '"-1"',
  '"1.5"',
  '"1e3"',
  '" 1"',
  '"4294967294"',
  '"4294967295"',
  '"4294967296"',
  '"9007199254740993"',
  '"metas"',
  '"\\u0061nn"',
  '"\\ud800"',
  '"\\udfff\\ud83d"',
  '"\\ud83d\\ude00"',
  '"a\\"b\\\\c\\n"',
  '"\\u0000"',
  `"${"long".repeat(80)}"`,
  '"null"',
  '"user:1"',
  '"2"',
  '"3"',
]
const REFS = ['"r1"', '"r2"', '"r3"', '"r4"', '"FzZ-a long ref=="']
const ODD_REFS = [
  null,
  "null",
  "1",
  "1.0",
  "1e0",
  "-0",
  "0",
  "true",
  "false",
  "{}",
  "[]",
  '""',
  '"\\u00721"',
  '"1"',
  '"null"',
]
const VALUES = [
  "1",
  '"x"',
  "null",
  "true",
  "-0",
  "0.1e2",
  "1e999",
  "123456789012345678901234567890",
  '"\\ud800"',
  '"é"',
  "[]",
  "{}",
  '[1,[2,{"a":[]}]]',
  '{"b":1,"a":{"2":0,"1":0},"__proto__":{"x":1}}',
  '"\\u0041\\/"',
  `"${"wide ".repeat(30)}"`,
  '{"phx_ref":"r1"}',
  '{"metas":[{"phx_ref":"r1"}]}',
  '{"a":1,"a":2}',
]
const FIELDS = [
  '"at"',
  '"name"',
  '"phx_ref_prev"',
  '"1"',
  '"0"',
  '"__proto__"',
  '"constructor"',
  '"é"',
  '"n\\u0061me"',
]
const EXTRAS = ['"user"', '"name"', '"3"', '"1"', '"__proto__"', '"phx_ref"', '"a long name of an extra"']

const field = (random, names) => ({ name: random.pick(names), value: random.pick(VALUES) })

const fields = (random, names, most) =>
  random.chance(0.5) ? [] : random.times(random.below(most + 1), () => field(random, names))

export const meta = (random, ref) => {
  const made = { ref: ref ?? (random.chance(0.9) ? random.pick(REFS) : random.pick(ODD_REFS)) }
  made.fields = fields(random, FIELDS, 3)
  made.refAt = random.below(made.fields.length + 1)
  return made
}

export const presence = (random, key, metas) => {
  const made = {
    key: key ?? random.pick(KEYS),
    metas: metas ?? random.times(random.pick([0, 1, 1, 1, 2, 3]), () => meta(random)),
  }
  made.before = random.chance(0.7) ? [] : fields(random, EXTRAS, 2)
  made.after = random.chance(0.7) ? [] : fields(random, EXTRAS, 2)
  if (random.chance(0.01)) {
    made.before.push({ name: '"metas"', value: random.pick(["[]", '[{"phx_ref":"r9"}]', "[null]", "7"]) })
  }
  return made
}

export const presences = (random, most) => random.times(random.below(most + 1), () => presence(random))

/** Something that is no state or diff, though it is JSON; or not even that. */
export const nonsense = (random) =>
  random.pick([
    "null",
    "7",
    "[]",
    '"text"',
    '{"a":null}',
    '{"a":{}}',
    '{"a":{"metas":{}}}',
    '{"a":{"metas":[null]}}',
    '{"joins":{}}',
    '{"leaves":{}}',
    '{"joins":{},"leaves":{"a":{}}}',
    '{"joins":{"a":{"metas":[]}},"leaves":[]}',
    '{"a":{"metas":[{"phx_ref":"r1"}]},"b":7}',
    "{",
    '{"a":{"metas":[{"phx_ref":"r1"}]',
    "nul",
    '{"a":01}',
    "\\u0000",
    '{"ann":{"metas":[{"phx_ref":"r1"}],}}',
    '{"ann":{"metas":[{"phx_ref":"\\x"}]}}',
    "[[[[[[",
    '{"a":{"metas":[{"b":1 2}]}}',
  ])

// Text

const member = (name, value, space) => `${name}${space}:${space}${value}`

const metaText = ({ ref, fields = [], refAt = 0 }, space) => {
  const members = fields.map(({ name, value }) => member(name, value, space))
  if (ref !== null && ref !== undefined) {
    members.splice(refAt, 0, member('"phx_ref"', ref, space))
  }
  return `{${space}${members.join(`,${space}`)}}`
}

export const presenceText = ({ metas = [], before = [], after = [] }, space) => {
  const text = ({ name, value }) => member(name, value, space)
  const all = `[${space}${metas.map((meta) => metaText(meta, space)).join(`${space},`)}${space}]`
  return `{${[...before.map(text), member('"metas"', all, space), ...after.map(text)].join(`,${space}`)}${space}}`
}

export const stateText = (list = [], space = "") =>
  `{${list.map((one) => member(one.key, presenceText(one, space), space)).join(`,${space}`)}${space}}`

export const diffText = ({ joins, leaves, swapped, more }, space = "") => {
  const members = [`"joins":${stateText(joins, space)}`, `"leaves":${stateText(leaves, space)}`]
  if (swapped) {
    members.reverse()
  }
  if (more !== undefined) {
    members.push(more)
  }
  return `{${space}${members.join(`${space},`)}}`
}
