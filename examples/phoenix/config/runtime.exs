import Config

config :presence_room, PresenceRoom.Endpoint,
  http: [ip: {127, 0, 0, 1}, port: String.to_integer(System.get_env("PORT", "4000"))],
  # It signs nothing but the tokens of long polling, which may end with the server.
  secret_key_base: Base.encode64(:crypto.strong_rand_bytes(48))
