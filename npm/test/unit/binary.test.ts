// Binary frames: what phoenix.js makes of them, and what is wrong with them where it does not say.

import * as phoenix from "phoenix"
import { describe, expect, it } from "vitest"
import { Serializer } from "../../src/index.js"

const theirs = (phoenix as any).Serializer ?? (new phoenix.Socket("ws://localhost") as any).serializer
const data = new Uint8Array([0xff, 0, 0x80]).buffer
const same = (value: any) => value

/** A frame of numbers, and of strings as UTF-8. */
const frame = (...parts: (number | string)[]): ArrayBuffer => {
  const encoder = new TextEncoder()
  return new Uint8Array(
    parts.flatMap((part) => (typeof part === "string" ? [...encoder.encode(part)] : [part])),
  ).buffer
}

describe("a binary frame", () => {
  it.each([
    ["a push", frame(0, 1, 6, 4, "1room:ablob", 0xff)],
    ["a reply", frame(1, 1, 2, 6, 2, "112room:aok", 0xff)],
    ["a reply without data", frame(1, 1, 2, 6, 5, "112room:aerror")],
    ["a broadcast", frame(2, 6, 4, "room:ablob", 0xff)],
  ])("of %s is read as phoenix.js reads it", (_, bytes) => {
    expect(Serializer.decode(bytes, same)).toEqual(theirs.decode(bytes, same))
  })

  it("of a push is written as phoenix.js writes it", () => {
    const message = { join_ref: "1", ref: "12", topic: "room:a", event: "blob", payload: data }
    expect(Serializer.encode(message, same)).toEqual(theirs.encode(message, same))
  })

  it("may be of a topic that is not ASCII", () => {
    const message = { join_ref: "1", ref: "12", topic: "room:ß€😀", event: "blob", payload: data }
    const written = Serializer.encode(message, same) as ArrayBuffer
    expect(new Uint8Array(written)).toEqual(
      new Uint8Array(frame(0, 1, 2, 14, 4, "112room:ß€😀blob", 0xff, 0, 0x80)),
    )
    const { ref, ...read } = message
    const pushed = frame(0, 1, 14, 4, "1room:ß€😀blob", 0xff, 0, 0x80)
    expect(Serializer.decode(pushed, same)).toEqual({ ...read, ref: null })
  })

  it("is written without refs where there are none", () => {
    const message = { topic: "room:a", event: "blob", payload: data }
    expect(Serializer.encode(message, same)).toEqual(frame(0, 0, 0, 6, 4, "room:ablob", 0xff, 0, 0x80))
  })

  it.each([
    ["join_ref", 256],
    ["ref", 300],
    ["topic", 256],
    ["event", 1000],
  ])("has no room for a longer %s", (field, length) => {
    const message = { join_ref: "1", ref: "2", topic: "room:a", event: "blob", payload: data }
    expect(() => Serializer.encode({ ...message, [field]: "x".repeat(length) }, same)).toThrow(
      `${field} is ${length} bytes long, and a binary frame has room for 255`,
    )
    expect(() => Serializer.encode({ ...message, [field]: "x".repeat(255) }, same)).not.toThrow()
  })

  it.each([
    ["it ends within the kind", frame()],
    ["it ends within the header", frame(1, 1, 1, 6)],
    ["it ends within the topic", frame(2, 6, 4, "room:")],
    ["it ends within the status", frame(1, 1, 1, 6, 2, "11room:ao")],
    ["the event is not valid UTF-8", frame(2, 6, 1, "room:a", 0xff)],
    ["unknown kind 3", frame(3, 1)],
  ])("is malformed: %s", (why, bytes) => {
    expect(() => Serializer.decode(bytes, same)).toThrow(`malformed binary frame: ${why}`)
  })
})
