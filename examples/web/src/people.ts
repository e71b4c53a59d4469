import { drawAvatar } from "./avatar"
import { icon, plural, setText, stamp, within } from "./dom"
import type { Person } from "./person"

const MOST_ICONS = 4

/** The list of people: one row a person, kept for as long as they are there. */
export class PeopleList {
  #rows = new Map<string, { row: HTMLElement; shown: string }>()

  constructor(
    readonly list: HTMLElement,
    readonly count: HTMLElement,
    readonly me: string,
  ) {}

  render(people: Person[]): void {
    // Those who went make room first, so that nobody who stays has to move.
    const here = new Set(people.map(({ id }) => id))
    for (const [id, { row }] of this.#rows) {
      if (here.has(id)) continue
      row.remove()
      this.#rows.delete(id)
    }
    for (const placeholder of this.list.querySelectorAll(".ghost")) placeholder.remove()

    let place = this.list.firstElementChild
    for (const person of people) {
      const row = this.#row(person)
      if (row === place) place = place.nextElementSibling
      else this.list.insertBefore(row, place)
    }
    const devices = people.reduce((sum, person) => sum + person.devices.length, 0)
    setText(this.count, `${plural(people.length, "person", "people")}, ${plural(devices, "device")}`)
    this.list.setAttribute("aria-busy", "false")
  }

  /** While the connection is away the list is the last that was known. */
  setStale(stale: boolean): void {
    this.list.classList.toggle("stale", stale)
  }

  #row(person: Person): HTMLElement {
    const shown = JSON.stringify(person)
    const known = this.#rows.get(person.id)
    if (known?.shown === shown) return known.row
    const row = known?.row ?? stamp("person-template")
    this.#fill(row, person)
    this.#rows.set(person.id, { row, shown })
    return row
  }

  #fill(row: HTMLElement, person: Person): void {
    row.dataset.key = person.id
    drawAvatar(within(row, ".avatar"), person, person.devices.length)
    setText(within(row, ".name .text"), person.name)
    within(row, ".name .text").title = person.id
    within(row, ".you").hidden = person.id !== this.me
    const doing = within(row, ".doing")
    setText(doing, person.statuses.join(" · ") || "Online")
    doing.title = person.statuses.join(" · ")
    doing.classList.toggle("unset", person.statuses.length === 0)
    const amount = within(row, ".amount")
    amount.dataset.count = String(person.devices.length)
    setText(amount, plural(person.devices.length, "device"))
    amount.title =
      person.since === undefined ? "" : `Here since ${new Date(person.since).toLocaleTimeString()}`
    within(row, ".devices").replaceChildren(...deviceIcons(person))
  }
}

function deviceIcons(person: Person): HTMLElement[] {
  const fits = person.devices.length <= MOST_ICONS
  const shown = fits ? person.devices : person.devices.slice(0, MOST_ICONS - 1)
  const items = shown.map((device) => {
    const item = document.createElement("li")
    const label = device.status ? `${device.label}: ${device.status}` : device.label
    const spoken = document.createElement("span")
    spoken.className = "spoken"
    spoken.textContent = label
    item.title = label
    item.append(icon(iconFor(device.label)), spoken)
    return item
  })
  if (!fits) {
    const rest = document.createElement("li")
    rest.className = "rest"
    rest.textContent = `+${person.devices.length - shown.length}`
    items.push(rest)
  }
  return items
}

function iconFor(label: string): string {
  if (/\bbot\b/i.test(label)) return "bot"
  if (/iPad|tablet/i.test(label)) return "tablet"
  if (/phone|Android|mobile/i.test(label)) return "phone"
  return "computer"
}
