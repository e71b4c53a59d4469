defmodule PresenceRoom.Application do
  use Application

  @impl true
  def start(_type, _args) do
    children = [
      {Phoenix.PubSub, name: PresenceRoom.PubSub},
      PresenceRoom.Presence,
      PresenceRoom.Endpoint
    ]

    Supervisor.start_link(children, strategy: :one_for_one, name: PresenceRoom.Supervisor)
  end
end
