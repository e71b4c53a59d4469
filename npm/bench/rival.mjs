// The best we could write without wasm, on phoenix.js's Socket and Channel: what the package has to beat to be worth it.
// It keeps the roster in a Map and the list as an array that is patched, and touches only what a frame changes. It knows
// nothing of held-back diffs, odd keys or statuses, which would only make it slower.

import * as phoenix from "phoenix"

const sameRefs = (a, b) => {
  if (a.length !== b.length) {
    return false
  }
  for (let i = 0; i < a.length; i++) {
    if (a[i].phx_ref !== b[i].phx_ref) {
      return false
    }
  }
  return true
}

const without = (metas, others) => {
  if (others.length <= 8) {
    return metas.filter((meta) => !others.some((other) => other.phx_ref === meta.phx_ref))
  }
  const refs = new Set(others.map((other) => other.phx_ref))
  return metas.filter((meta) => !refs.has(meta.phx_ref))
}

const copy = (presence) => ({ ...presence, metas: presence.metas.slice() })

class Presence {
  #places = new Map()
  #keys = []
  #items = []
  #gaps = 0
  #onJoin = null
  #onLeave = null
  #onSync = () => {}

  constructor(channel) {
    channel.on("presence_state", (state) => {
      this.#state(state)
      this.#onSync()
    })
    channel.on("presence_diff", ({ joins, leaves }) => {
      for (const key in joins) {
        this.#join(key, joins[key])
      }
      for (const key in leaves) {
        this.#leave(key, leaves[key])
      }
      this.#onSync()
    })
  }

  onJoin(callback) {
    this.#onJoin = callback
  }

  onLeave(callback) {
    this.#onLeave = callback
  }

  onSync(callback) {
    this.#onSync = callback
  }

  list(by) {
    this.#closeGaps()
    return by === undefined ? this.#items.slice() : this.#items.map((item, at) => by(this.#keys[at], item))
  }

  #state(state) {
    const leaves = []
    for (const [key, place] of this.#places) {
      const next = state[key]
      const { metas } = this.#items[place]
      if (next === undefined) {
        leaves.push([key, this.#items[place]])
      } else if (!sameRefs(metas, next.metas)) {
        const lost = without(metas, next.metas)
        if (lost.length > 0) {
          leaves.push([key, { ...this.#items[place], metas: lost }])
        }
      }
    }
    for (const key in state) {
      const next = state[key]
      const place = this.#places.get(key)
      if (place === undefined) {
        this.#join(key, next)
      } else if (!sameRefs(this.#items[place].metas, next.metas)) {
        const joined = without(next.metas, this.#items[place].metas)
        if (joined.length > 0) {
          this.#join(key, { ...next, metas: joined })
        }
      }
    }
    for (const [key, left] of leaves) {
      this.#leave(key, left)
    }
  }

  #join(key, joined) {
    const place = this.#places.get(key)
    if (place === undefined) {
      this.#places.set(key, this.#items.length)
      this.#keys.push(key)
      this.#items.push(joined)
      this.#onJoin?.(key, undefined, copy(joined))
      return
    }
    const current = this.#items[place]
    const kept = without(current.metas, joined.metas)
    this.#items[place] = { ...joined, metas: kept.concat(joined.metas) }
    this.#onJoin?.(key, copy(current), copy(joined))
  }

  #leave(key, left) {
    const place = this.#places.get(key)
    if (place === undefined) {
      return
    }
    const metas = without(this.#items[place].metas, left.metas)
    const now = { ...this.#items[place], metas }
    if (metas.length > 0) {
      this.#items[place] = now
    } else {
      this.#places.delete(key)
      if (place === this.#items.length - 1) {
        this.#items.pop()
        this.#keys.pop()
      } else {
        this.#items[place] = undefined
        this.#gaps++
      }
    }
    this.#onLeave?.(key, copy(now), left)
  }

  #closeGaps() {
    if (this.#gaps === 0) {
      return
    }
    let to = 0
    for (let from = 0; from < this.#items.length; from++) {
      if (this.#items[from] !== undefined) {
        this.#items[to] = this.#items[from]
        this.#keys[to] = this.#keys[from]
        this.#places.set(this.#keys[to], to)
        to++
      }
    }
    this.#items.length = to
    this.#keys.length = to
    this.#gaps = 0
  }
}

export const rival = { Socket: phoenix.Socket, Presence }
