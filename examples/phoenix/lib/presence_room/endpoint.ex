defmodule PresenceRoom.Endpoint do
  use Phoenix.Endpoint, otp_app: :presence_room

  # The page may come from a development server on another port.
  socket "/socket", PresenceRoom.UserSocket,
    websocket: [check_origin: false],
    longpoll: [check_origin: false],
    auth_token: true

  @page Path.expand("../../../web/dist", __DIR__)

  plug Plug.Static, at: "/", from: @page
  plug :index

  defp index(conn, _opts) do
    index = Path.join(@page, "index.html")

    if File.regular?(index) do
      conn |> put_resp_content_type("text/html") |> send_file(200, index)
    else
      send_resp(conn, 404, "Build the page first: npm run build in examples/web\n")
    end
  end
end
