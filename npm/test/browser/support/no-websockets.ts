import { once } from "node:events"
import { createServer, request } from "node:http"
import type { AddressInfo } from "node:net"
import type { Scene } from "./scenario.ts"

/** A proxy as some offices have it: it passes every request on, and refuses each WebSocket. Returns its URL. */
export async function proxyWithoutWebSockets(scene: Scene): Promise<string> {
  const refused = "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n"
  const proxy = createServer((incoming, answer) => {
    const onward = request(
      `${scene.server.url}${incoming.url}`,
      { method: incoming.method, headers: incoming.headers },
      (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers)
        response.pipe(answer)
      },
    )
    onward.on("error", () => answer.destroy())
    answer.on("close", () => onward.destroy())
    incoming.pipe(onward)
  })
  proxy.on("upgrade", (_request, socket) => socket.end(refused))
  proxy.listen(0, "127.0.0.1")
  await once(proxy, "listening")
  scene.atEnd(async () => {
    proxy.closeAllConnections()
    proxy.close()
  })
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
}
