import { describe, expect, test } from "vitest"
import { Activity } from "../../../examples/web/src/activity.ts"

const meta = (phx_ref: string, more: object = {}) => ({ phx_ref, ...more })
const entry = (...metas: ReturnType<typeof meta>[]) => ({ metas })

function kinds(activity: Activity): string[] {
  return activity.settle().map(({ id, kind }) => `${id} ${kind}`)
}

describe("the page's reading of joins and leaves", () => {
  test("a first device joins, a second is another device, the last one leaves", () => {
    const activity = new Activity()
    activity.join("a", undefined, entry(meta("1")))
    expect(kinds(activity)).toEqual(["a joined"])
    activity.join("a", entry(meta("1")), entry(meta("2")))
    expect(kinds(activity)).toEqual(["a device-joined"])
    activity.leave("a", entry(meta("2")), entry(meta("1")))
    expect(kinds(activity)).toEqual(["a device-left"])
    activity.leave("a", entry(), entry(meta("2")))
    expect(kinds(activity)).toEqual(["a left"])
    expect(kinds(activity)).toEqual([])
  })

  test("a join that is reported twice is one", () => {
    const activity = new Activity()
    activity.join("a", undefined, entry(meta("1")))
    activity.join("a", entry(meta("1")), entry(meta("1")))
    expect(kinds(activity)).toEqual(["a joined"])
    activity.join("a", entry(meta("1")), entry(meta("1")))
    expect(kinds(activity)).toEqual([])
  })

  test("an update is neither a join nor a leave, and news only if the status is another", () => {
    const activity = new Activity()
    const old = meta("1", { status: "Away" })
    const busy = meta("2", { phx_ref_prev: "1", status: "Busy" })
    activity.join("a", entry(old, meta("9")), entry(busy))
    activity.leave("a", entry(meta("9"), busy), entry(old))
    expect(activity.settle()).toMatchObject([{ kind: "status", id: "a", status: "Busy" }])

    const renamed = meta("3", { phx_ref_prev: "2", status: "Busy", name: "A" })
    activity.join("a", entry(busy, meta("9")), entry(renamed))
    activity.leave("a", entry(meta("9"), renamed), entry(busy))
    expect(kinds(activity)).toEqual([])
  })

  test("updates merged between nodes name a meta that was never sent, and are still updates", () => {
    const activity = new Activity()
    activity.join("a", entry(meta("1")), entry(meta("3", { phx_ref_prev: "2", status: "Busy" })))
    activity.leave("a", entry(meta("3")), entry(meta("1")))
    expect(kinds(activity)).toEqual(["a status"])
  })

  test("a reconnect that gives everybody new refs is no news", () => {
    const activity = new Activity()
    for (const id of ["a", "b"]) {
      activity.join(id, entry(meta(`${id}1`)), entry(meta(`${id}2`)))
      activity.leave(id, entry(meta(`${id}2`)), entry(meta(`${id}1`)))
    }
    expect(kinds(activity)).toEqual([])
  })

  test("who comes and goes between two syncs was never there", () => {
    const activity = new Activity()
    activity.join("a", undefined, entry(meta("1")))
    activity.leave("a", entry(), entry(meta("1")))
    expect(kinds(activity)).toEqual([])
  })
})
