// @vitest-environment jsdom
// The hooks in React 19 and in React 18 (see vitest.config.ts): what renders anew, and what is left when components go.

import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import * as React from "react"
import { act, createElement as h, memo, StrictMode, Suspense, startTransition, useState } from "react"
import * as ReactDom from "react-dom"
import { createRoot } from "react-dom/client"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import * as presence from "../../src/index.js"
import { Socket } from "../../src/index.js"
import * as hooks from "../../src/react.js"
import { useChannel, usePresence, useSocket } from "../../src/react.js"
import { useFakeTimers } from "./both.js"
import { ScriptedServer } from "./scripted.js"

useFakeTimers()
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true })

let server: ScriptedServer
let renders: string[]
let root: ReturnType<typeof createRoot>
let view: HTMLElement
const sockets: Socket[] = []

beforeEach(() => {
  server = new ScriptedServer()
  server.enter("room:1", "ann")
  server.enter("room:1", "bob")
  renders = []
  sockets.length = 0
  view = document.createElement("div")
  root = createRoot(view)
})
afterEach(() => act(() => root.unmount()))

const Row = memo(({ id, person }: { id: string; person: any }) => {
  renders.push(id)
  return h("li", null, `${id} ${person.metas[0].phx_ref}`)
})

const Count = ({ channel }: { channel: any }) => {
  renders.push("count")
  return h(
    "p",
    null,
    usePresence(channel, ({ size }) => size),
  )
}

const Room = ({ topic }: { topic: string }) => {
  const socket = useSocket(() => {
    const made = new Socket("ws://example.com/socket", { transport: server.transport })
    sockets.push(made)
    return made
  })
  const channel = useChannel(socket, topic)
  return h("div", null, h(People, { channel }), h(Count, { channel }))
}

const People = ({ channel }: { channel: any }) => {
  const ids = usePresence(channel, (presence) => presence.list((id) => id))
  const people = usePresence(channel)
  return h(
    "ul",
    null,
    ids.map((id, at) => h(Row, { key: id, id, person: people[at] })),
  )
}

const settle = () => act(() => void vi.advanceTimersByTime(2000))
const show = async (topic: string, strict = false) => {
  await act(() => root.render(strict ? h(StrictMode, null, h(Room, { topic })) : h(Room, { topic })))
  await settle()
}
const rows = () => [...view.querySelectorAll("li")].map((row) => row.textContent)

it("runs in the React that it is meant to", () => {
  expect([React.version, ReactDom.version].map((version) => version.split(".")[0])).toEqual([
    process.env.REACT,
    process.env.REACT,
  ])
})

it("renders anew the row of who changed, and no other", async () => {
  await show("room:1")
  expect(rows()).toEqual(["ann r1", "bob r2"])
  renders.length = 0
  server.update("room:1", "bob")
  await settle()
  expect(rows()).toEqual(["ann r1", "bob r3"])
  expect(renders).toEqual(["bob"])
})

it("follows the channel to another topic, and leaves the first", async () => {
  server.enter("room:2", "carl")
  await show("room:1")
  await show("room:2")
  expect(rows()).toEqual(["carl r3"])
  expect(sockets).toHaveLength(1)
  expect(sockets[0].channels.map(({ topic }) => topic)).toEqual(["room:2"])
})

it("gives no channel of another topic", async () => {
  const seen: unknown[] = []
  const Topics = ({ socket, topic }: { socket: Socket; topic: string }) => {
    seen.push([topic, useChannel(socket, topic)?.topic])
    return null
  }
  const socket = new Socket("ws://example.com/socket", { transport: server.transport })
  await act(() => root.render(h(Topics, { socket, topic: "room:1" })))
  await act(() => root.render(h(Topics, { socket, topic: "room:2" })))
  expect(seen).toEqual([
    ["room:1", undefined],
    ["room:1", "room:1"],
    ["room:2", undefined],
    ["room:2", "room:2"],
  ])
})

it("does not render anew because a transition is under way", async () => {
  await show("room:1")
  const [channel] = sockets[0].channels
  let select = (_id: string) => {}
  const never = new Promise(() => {})
  const Selected = () => {
    const [id, setId] = useState("ann")
    select = setId
    renders.push(id)
    const person = usePresence(channel, (presence) => [id, presence.get(id)])
    if (id === "bob") {
      throw never
    }
    return h("p", null, String(person[0]))
  }
  await act(() => root.render(h(Suspense, null, h(Selected))))
  await act(() => startTransition(() => select("bob")))
  expect(renders.at(-1)).toBe("bob")
  renders.length = 0
  server.enter("room:1", "carl")
  await settle()
  expect(view.textContent).toBe("ann")
  expect(renders).toEqual([])
})

it.each([false, true])("makes and ends one connection (StrictMode: %s)", async (strict) => {
  await show("room:1", strict)
  expect(rows()).toEqual(["ann r1", "bob r2"])
  expect(sockets).toHaveLength(1)
  expect(server.transports).toHaveLength(1)
  await act(() => root.render(null))
  await settle()
  expect(sockets[0].channels).toEqual([])
  expect(sockets[0].connectionState()).toBe("closed")
  expect(vi.getTimerCount()).toBe(0)
})

it("runs the README's component as it stands there", async () => {
  const readme = readFileSync("../README.md", "utf8")
  const jsx = /```jsx\n([\s\S]*?)```/.exec(readme)![1]
  const code = execFileSync("node_modules/.bin/esbuild", ["--loader=jsx", "--format=cjs"], {
    input: jsx,
    encoding: "utf8",
  })
  const modules: Record<string, unknown> = { "phoenix-presence": presence, "phoenix-presence/react": hooks }
  const component = new Function("require", "React", `${code}; return Room`)(
    (name: string) => modules[name],
    React,
  )
  vi.stubGlobal("WebSocket", server.transport)
  server.enter("room:lobby", "carl")
  await act(() => root.render(h(component)))
  await settle()
  expect(view.textContent).toBe("online: carl")
  await act(() => root.render(null))
  await settle()
  vi.unstubAllGlobals()
})
