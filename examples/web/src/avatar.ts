import { svg } from "./dom"
import { hueOf, initials } from "./person"

// A ring of more arcs than this would read as a dotted line.
const MOST_ARCS = 8

/** Initials in the person's colour, and around them a ring with one arc for each device. */
export function drawAvatar(
  element: HTMLElement,
  person: { id: string; name: string },
  devices: number,
): void {
  element.style.setProperty("--hue", String(hueOf(person.id)))
  const letters = document.createElement("span")
  letters.className = "letters"
  letters.textContent = initials(person.name)
  element.setAttribute("aria-hidden", "true")
  element.replaceChildren(ring(devices), letters)
}

function ring(devices: number): SVGElement {
  const picture = svg("svg", { class: "ring", viewBox: "0 0 48 48" })
  const arcs = Math.min(Math.max(devices, 1), MOST_ARCS)
  const circle = svg("circle", { cx: "24", cy: "24", r: "22.5", transform: "rotate(-90 24 24)" })
  if (arcs > 1) {
    // Lengths in degrees. Round caps reach past the ends, hence the wide gap.
    const gap = 20
    circle.setAttribute("pathLength", "360")
    circle.setAttribute("stroke-dasharray", `${360 / arcs - gap} ${gap}`)
    circle.setAttribute("stroke-dashoffset", String(-gap / 2))
  }
  picture.append(circle)
  return picture
}
