/** What a client of this room says about one of its devices. */
export interface Meta {
  phx_ref: string
  phx_ref_prev?: string
  /** Seconds since 1970, as text, by the server's clock. */
  online_at?: string
  device?: string
  status?: string
  name?: string
}

/** What the server may add beside the metas (its `fetch`). */
export interface Extra {
  user?: { name?: string }
}

export type Entry = Extra & { metas: Meta[] }

/** One person as the page shows them: everything of several devices in one place. */
export interface Person {
  id: string
  name: string
  /** Every status that one of the devices has set, each once. */
  statuses: string[]
  devices: { ref: string; label: string; status: string }[]
  /** When the first of the devices came, in ms since 1970, if the server said so. */
  since: number | undefined
}

export function toPerson(id: string, entry: Entry): Person {
  const { metas } = entry
  const came = metas.map((meta) => Number(meta.online_at) * 1000).filter((at) => at > 0)
  return {
    id,
    name: nameOf(id, entry),
    statuses: [...new Set(metas.map((meta) => text(meta.status)).filter(Boolean))],
    devices: metas.map((meta) => ({
      ref: meta.phx_ref,
      label: text(meta.device) || "Unknown device",
      status: text(meta.status),
    })),
    since: came.length > 0 ? Math.min(...came) : undefined,
  }
}

export function nameOf(id: string, entry?: Entry): string {
  const given = text(entry?.user?.name) || entry?.metas.map((meta) => text(meta.name)).find(Boolean)
  return given || displayName(id)
}

/** "calm-otter" becomes "Calm Otter"; what isn't made of plain words stays as it is. */
export function displayName(id: string): string {
  if (id.trim() === "") return "(no name)"
  if (!/^[\p{L}\p{N}]+(?:[-_ ][\p{L}\p{N}]+)*$/u.test(id)) return id
  return id
    .split(/[-_ ]/)
    .map((word) => word.replace(/^./u, (letter) => letter.toUpperCase()))
    .join(" ")
}

/** Up to two letters; a name without any letter gives its first character. */
export function initials(name: string): string {
  const words = name.match(/[\p{L}\p{N}]+/gu) ?? []
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words
  const short = letters.map((word) => [...(word ?? "")][0]).join("")
  return short.toUpperCase() || [...name.trim()][0] || "?"
}

/** The same id has the same hue on everybody's screen. */
export function hueOf(id: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(id)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  // FNV's low bits alone fall into few hues for short ids.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0
  return ((hash >>> 8) % 24) * 15
}

export function statusOf(meta: Meta | undefined): string {
  return text(meta?.status)
}

/** Metas are whatever a client sent: only text is shown as text. */
function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : ""
}
