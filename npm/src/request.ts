// One HTTP request of the long-polling transport, by XMLHttpRequest where there is one and by fetch elsewhere.

export interface Request {
  abort(): void
}

export interface RequestOptions {
  method: "GET" | "POST"
  url: string
  headers: Record<string, string>
  body: string | null
  /** In ms; 0 or none: as long as it takes. */
  timeout: number | undefined
  onTimeout: () => void
  /** The JSON of the answer; null if there was no answer, or no JSON in it. */
  onAnswer: (answer: any) => void
}

const DONE = 4

/**
 * Sends a request. What sends it is looked up at each call, so that one that was replaced is used.
 * @throws Error where there is nothing to send it by, or if the URL is none.
 */
export const request = (options: RequestOptions): Request => {
  if (typeof globalThis.XMLHttpRequest === "function") {
    return byXhr(options)
  }
  if (typeof globalThis.fetch === "function" && typeof globalThis.AbortController === "function") {
    return byFetch(options)
  }
  throw new Error("long polling needs XMLHttpRequest, or fetch and AbortController, and there is neither")
}

const byXhr = ({ method, url, headers, body, timeout, onTimeout, onAnswer }: RequestOptions): Request => {
  const xhr = new XMLHttpRequest()
  xhr.open(method, url, true)
  xhr.timeout = timeout ?? 0
  for (const [name, value] of Object.entries(headers)) {
    xhr.setRequestHeader(name, value)
  }
  // Failures and timeouts too are «done», with no text, in browsers before their own events, which then come late.
  xhr.onreadystatechange = () => {
    if (xhr.readyState === DONE) {
      onAnswer(parse(xhr.responseText))
    }
  }
  xhr.onerror = () => onAnswer(null)
  xhr.ontimeout = onTimeout
  xhr.send(body)
  return xhr
}

const byFetch = ({ method, url, headers, body, timeout, onTimeout, onAnswer }: RequestOptions): Request => {
  const controller = new AbortController()
  let late = false
  const timer = timeout
    ? setTimeout(() => {
        late = true
        controller.abort()
      }, timeout)
    : undefined
  globalThis
    .fetch(url, { method, headers, body, signal: controller.signal })
    .then((response) => response.text())
    .then(parse, () => null)
    .then((answer) => {
      clearTimeout(timer)
      if (late) {
        onTimeout()
      } else {
        onAnswer(answer)
      }
    })
  return {
    abort() {
      clearTimeout(timer)
      controller.abort()
    },
  }
}

const parse = (text: string): any => {
  if (!text) {
    return null
  }
  try {
    return JSON.parse(text)
  } catch {
    // A proxy's error page, most likely: to the transport it is no answer at all.
    console.log("failed to parse JSON response", text)
    return null
  }
}
