// A transport that a history plays the server's part of.

/** A class of transports, of which `all` are kept. */
export const transports = () => {
  const all = []
  class Transport {
    readyState = 0
    bufferedAmount = 0
    sent = []
    onopen = null
    onclose = null
    onerror = null
    onmessage = null

    constructor(url, protocols) {
      this.url = url
      this.protocols = protocols
      all.push(this)
    }

    send(data) {
      this.sent.push(data)
    }

    /** As a WebSocket does, it says later that it has closed. */
    close(code, reason) {
      this.closedWith = [code, reason]
      if (this.readyState < 2) {
        this.readyState = 2
        setTimeout(() => this.finishClose(code ?? 1005, true), this.slow ?? 1)
      }
    }

    finishClose(code, wasClean) {
      if (this.readyState < 3) {
        this.readyState = 3
        this.onclose?.({ code, reason: "", wasClean })
      }
    }

    open() {
      if (this.readyState === 0) {
        this.readyState = 1
        this.onopen?.({})
      }
    }

    /** The connection is lost, with an error (as WebSockets in browsers have it) or without. */
    lose(code = 1006, withError = true) {
      if (this.readyState < 3) {
        this.readyState = 3
        if (withError) {
          this.onerror?.({ type: "error" })
        }
        this.onclose?.({ code, reason: "", wasClean: !withError })
      }
    }

    receive(data) {
      if (this.readyState === 1) {
        this.onmessage?.({ data })
      }
    }
  }
  return { Transport, all }
}
