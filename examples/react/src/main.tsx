import { StrictMode, useState } from "react"
import { createRoot } from "react-dom/client"
import { Room } from "./room"

const userId = new URLSearchParams(location.search).get("user_id") ?? `guest-${Date.now() % 1000}`

const Page = () => {
  const [isInside, setInside] = useState(true)
  return (
    <>
      <h1>Who’s online</h1>
      <button type="button" data-testid="door" onClick={() => setInside(!isInside)}>
        {isInside ? "Leave" : "Enter"}
      </button>
      {isInside && <Room userId={userId} />}
    </>
  )
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Page />
  </StrictMode>,
)
