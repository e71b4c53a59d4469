import type { Happening } from "./activity"
import { plural, stamp, within } from "./dom"
import { hueOf, nameOf } from "./person"

/** What an entry says: plain words, and the parts to stress. */
type Words = (string | { strong: string })[]

const MOST_ENTRIES = 200

/** The newest entry is on top. */
export class ActivityLog {
  constructor(
    readonly list: HTMLElement,
    readonly me: string,
  ) {}

  happened(happening: Happening): void {
    const who = happening.id === this.me ? "You" : nameOf(happening.id, happening.entry)
    this.#add(happening.kind, describe(happening, { strong: who }, happening.id === this.me), happening.id)
  }

  /** The first list: those who were there before us came without an event of their own. */
  arrived(others: number): void {
    const words: Words =
      others === 0
        ? ["Nobody else is here yet"]
        : [
            { strong: plural(others, "person", "people") },
            others === 1 ? " was already here" : " were already here",
          ]
    this.#add("arrived", words)
  }

  connection(kind: "cut" | "lost" | "back" | "offline", text: string): void {
    this.#add(kind, [text])
  }

  #add(kind: string, words: Words, id?: string): void {
    const entry = stamp("log-template")
    entry.dataset.kind = kind
    if (id !== undefined) {
      entry.dataset.key = id
      entry.style.setProperty("--hue", String(hueOf(id)))
    }
    within(entry, ".line").append(...words.map(toNode))
    const now = new Date()
    const time = within<HTMLTimeElement>(entry, "time")
    time.dateTime = now.toISOString()
    time.textContent = now.toLocaleTimeString([], { hourCycle: "h23", timeStyle: "medium" })
    this.list.prepend(entry)
    while (this.list.childElementCount > MOST_ENTRIES) this.list.lastElementChild?.remove()
  }
}

function describe(happening: Happening, who: { strong: string }, mine: boolean): Words {
  switch (happening.kind) {
    case "joined":
      return [who, " joined"]
    case "left":
      return [who, " left"]
    case "device-joined":
      return [who, " joined from another device"]
    case "device-left":
      return [who, mine ? " left one of your devices" : " left a device"]
    case "status":
      if (!happening.status) return [who, mine ? " cleared your status" : " cleared their status"]
      return [who, mine ? " are now " : " is now ", `“${happening.status}”`]
  }
}

function toNode(part: Words[number]): Node {
  if (typeof part === "string") return document.createTextNode(part)
  const strong = document.createElement("strong")
  strong.textContent = part.strong
  return strong
}
