defmodule PresenceRoom.Presence do
  use Phoenix.Presence, otp_app: :presence_room, pubsub_server: PresenceRoom.PubSub

  # Extras beside the metas, in rooms named room:x-…: the last name given, or the key.
  @impl true
  def fetch("room:x-" <> _, presences) do
    for {key, %{metas: metas} = presence} <- presences, into: %{} do
      name = metas |> Enum.reverse() |> Enum.find_value(key, & &1["name"])
      {key, Map.put(presence, :user, %{name: name})}
    end
  end

  def fetch(_topic, presences), do: presences
end
