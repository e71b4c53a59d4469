import * as phoenix from "phoenix"
import { expect, it } from "vitest"
import { Socket } from "../../src/index.js"

it.each<[string, object]>([
  ["nothing", {}],
  ["a token", { token: "a b&c=d/e?é" }],
  ["numbers and booleans", { a: 1, b: false, c: 0.5 }],
  ["nothing in something", { a: null, b: undefined, c: "", d: 1 }],
  ["only null", { a: null }],
  ["nested objects", { a: { b: { c: "d", "e f": 1 } }, g: 2 }],
  ["lists", { ids: [1, 2, { x: 3 }], none: [] }],
])("puts params into the URL as phoenix.js does: %s", (_what, params) => {
  for (const endPoint of ["ws://example.com/socket", "wss://example.com/socket?x=y"]) {
    const theirs = new phoenix.Socket(endPoint, { params }).endPointURL()
    expect(new Socket(endPoint, { params }).endPointURL()).toBe(theirs)
  }
})
