import Config

config :phoenix, :json_library, Jason

config :presence_room, PresenceRoom.Endpoint,
  adapter: Bandit.PhoenixAdapter,
  pubsub_server: PresenceRoom.PubSub
