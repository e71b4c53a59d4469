import { byId } from "./dom"

const PRESETS = ["Available", "Focusing", "In a call", "At lunch", "Away"]

/** The form for one's own status. */
export class StatusComposer {
  /** The status in force, which a rejoin tells the server again. */
  status = ""
  readonly #input = byId<HTMLInputElement>("status-input")
  readonly #chips: HTMLButtonElement[]

  constructor(readonly send: (status: string) => void) {
    this.#chips = PRESETS.map((preset) => {
      const chip = document.createElement("button")
      chip.type = "button"
      chip.className = "chip"
      chip.textContent = preset
      chip.setAttribute("aria-pressed", "false")
      chip.addEventListener("click", () => this.#choose(preset === this.status ? "" : preset))
      return chip
    })
    byId("status-presets").append(...this.#chips)
    byId("status-form").addEventListener("submit", (event) => {
      event.preventDefault()
      this.#choose(this.#input.value.trim())
    })
  }

  #choose(status: string): void {
    this.status = status
    this.#input.value = status
    for (const chip of this.#chips) chip.setAttribute("aria-pressed", String(chip.textContent === status))
    this.send(status)
  }
}
