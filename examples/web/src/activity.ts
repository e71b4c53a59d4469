import type { Entry, Meta } from "./person"
import { statusOf } from "./person"

/** One thing that happened to one person between two syncs. */
export type Happening =
  | { kind: "joined" | "left"; id: string; entry: Entry }
  | { kind: "device-joined" | "device-left"; id: string; entry: Entry; meta: Meta }
  | { kind: "status"; id: string; entry: Entry; status: string }

interface Record {
  /** The devices before the first callback of this batch, by ref. */
  before: Map<string, Meta>
  joined: Map<string, Meta>
  left: Map<string, Meta>
  entry: Entry
}

/**
 * Turns the joins and leaves of `onJoin` and `onLeave` into what a person would say happened.
 *
 * Phoenix reports an update as a join with a new `phx_ref` and a leave with the old one, and may report
 * a join twice. So the callbacks are only noted down, and read together at `onSync`.
 */
export class Activity {
  #records = new Map<string, Record>()

  join(id: string, current: Entry | undefined, joined: Entry): void {
    const record = this.#record(id, current?.metas ?? [], joined)
    for (const meta of joined.metas) {
      if (!record.before.has(meta.phx_ref)) record.joined.set(meta.phx_ref, meta)
    }
  }

  leave(id: string, current: Entry, left: Entry): void {
    const record = this.#record(id, [...current.metas, ...left.metas], left)
    for (const meta of left.metas) {
      const came = record.joined.delete(meta.phx_ref)
      if (!came) record.left.set(meta.phx_ref, record.before.get(meta.phx_ref) ?? meta)
    }
  }

  /** Everything since the last call, in the order in which people were first heard of. */
  settle(): Happening[] {
    const records = this.#records
    this.#records = new Map()
    return [...records].flatMap(([id, record]) => happenings(id, record))
  }

  #record(id: string, before: Meta[], entry: Entry): Record {
    let record = this.#records.get(id)
    if (!record) {
      const known = new Map(before.map((meta) => [meta.phx_ref, meta]))
      record = { before: known, joined: new Map(), left: new Map(), entry }
      this.#records.set(id, record)
    }
    return record
  }
}

function happenings(id: string, { before, joined, left, entry }: Record): Happening[] {
  const after = before.size + joined.size - left.size
  if (before.size === 0) return after > 0 ? [{ kind: "joined", id, entry }] : []
  if (after === 0) return [{ kind: "left", id, entry }]

  const found: Happening[] = []
  for (const meta of joined.values()) {
    const old = predecessor(meta, left)
    if (!old) {
      found.push({ kind: "device-joined", id, entry, meta })
      continue
    }
    left.delete(old.phx_ref)
    const status = statusOf(meta)
    if (status !== statusOf(old)) found.push({ kind: "status", id, entry, status })
  }
  for (const meta of left.values()) found.push({ kind: "device-left", id, entry, meta })
  return found
}

/** An update names the meta it replaces; merged ones may not, but the old meta left in the same batch. */
function predecessor(meta: Meta, left: Map<string, Meta>): Meta | undefined {
  const named = meta.phx_ref_prev === undefined ? undefined : left.get(meta.phx_ref_prev)
  return named ?? left.values().next().value
}
