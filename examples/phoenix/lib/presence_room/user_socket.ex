defmodule PresenceRoom.UserSocket do
  use Phoenix.Socket

  channel "room:*", PresenceRoom.RoomChannel

  @impl true
  def connect(%{"reject" => _}, _socket, _connect_info), do: :error

  def connect(params, socket, connect_info) do
    guest = "guest-" <> Base.encode16(:crypto.strong_rand_bytes(4), case: :lower)

    {:ok,
     assign(socket,
       user_id: Map.get(params, "user_id", guest),
       params: params,
       auth_token: connect_info[:auth_token]
     )}
  end

  @impl true
  def id(socket), do: "users_socket:#{socket.assigns.user_id}"
end
