/** The element that `index.html` promises; a missing one is a mistake in the page itself. */
export function byId<T extends Element = HTMLElement>(id: string): T {
  const element = document.getElementById(id)
  if (!element) throw new Error(`index.html has no #${id}`)
  return element as unknown as T
}

export function within<T extends Element = HTMLElement>(parent: ParentNode, selector: string): T {
  const element = parent.querySelector<T>(selector)
  if (!element) throw new Error(`no ${selector} here`)
  return element
}

/** A fresh copy of the one element inside a `<template>`. */
export function stamp(templateId: string): HTMLElement {
  const template = byId<HTMLTemplateElement>(templateId)
  return document.importNode(template.content, true).firstElementChild as HTMLElement
}

const SVG = "http://www.w3.org/2000/svg"

export function svg(name: string, attributes: Record<string, string>): SVGElement {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  return element
}

export function icon(name: string): SVGElement {
  const element = svg("svg", { class: "icon", "aria-hidden": "true" })
  element.append(svg("use", { href: `#icon-${name}` }))
  return element
}

/** Writes only what changed, so that a repeated render costs and announces nothing. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString()} ${count === 1 ? one : many}`
}
