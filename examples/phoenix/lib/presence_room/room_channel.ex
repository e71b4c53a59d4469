defmodule PresenceRoom.RoomChannel do
  use Phoenix.Channel

  alias Phoenix.Socket.Broadcast
  alias PresenceRoom.Presence

  @max_delay_ms 60_000

  @impl true
  def join("room:forbidden", _params, _socket), do: {:error, %{reason: "forbidden"}}
  def join("room:joincrash", _params, _socket), do: raise("as asked for")

  def join("room:" <> _, %{} = params, socket) do
    params |> Map.get("slow", 0) |> delay() |> Process.sleep()
    send(self(), :after_join)
    {:ok, assign(socket, :join, params)}
  end

  @impl true
  def handle_info(:after_join, socket) do
    case socket.assigns.join["order"] do
      "observe" ->
        push_state(socket)

      "state_first" ->
        push_state(socket)
        {:ok, _} = Presence.track(socket, socket.assigns.user_id, meta(socket))

      # The diff comes from another process, and nearly always before the state.
      _ ->
        {:ok, _} = Presence.track(socket, socket.assigns.user_id, meta(socket))
        push_state(socket)
    end

    {:noreply, socket}
  end

  def handle_info({:late, ref, payload}, socket) do
    reply(ref, {:ok, payload})
    {:noreply, socket}
  end

  @impl true
  def handle_in(event, payload, socket) when event in ["echo", "ping_echo"],
    do: {:reply, {:ok, payload}, socket}

  def handle_in("fail", payload, socket), do: {:reply, {:error, payload}, socket}
  def handle_in("no_reply", _payload, socket), do: {:noreply, socket}

  def handle_in("slow", payload, socket) do
    Process.send_after(self(), {:late, socket_ref(socket), payload}, delay(payload["ms"]))
    {:noreply, socket}
  end

  def handle_in("whoami", _payload, socket),
    do: {:reply, {:ok, Map.take(socket.assigns, [:user_id, :params, :auth_token, :join])}, socket}

  def handle_in("push_me", payload, socket) do
    push(socket, "pushed", payload)
    {:noreply, socket}
  end

  def handle_in(event, payload, socket) when event in ["shout", "broadcast"] do
    broadcast!(socket, event, payload)
    {:noreply, socket}
  end

  def handle_in("shout_from", payload, socket) do
    broadcast_from!(socket, "shout", payload)
    {:noreply, socket}
  end

  def handle_in(event, %{} = changes, socket) when event in ["set_status", "update"] do
    changes = Map.drop(changes, ["phx_ref", "phx_ref_prev"])
    updated = Presence.update(socket, socket.assigns.user_id, &Map.merge(&1, changes))
    {:reply, tracked(updated), socket}
  end

  def handle_in("track", %{} = payload, socket) do
    meta = Map.get_lazy(payload, "meta", fn -> meta(socket) end)
    {:reply, tracked(Presence.track(socket, key(payload, socket), meta)), socket}
  end

  def handle_in("untrack", %{} = payload, socket) do
    :ok = Presence.untrack(socket, key(payload, socket))
    {:reply, :ok, socket}
  end

  def handle_in("stop", _payload, socket), do: {:stop, :normal, socket}

  def handle_in("stop_reply", payload, socket),
    do: {:stop, {:shutdown, :stopped}, {:ok, payload}, socket}

  # What Endpoint.broadcast("users_socket:ID", "disconnect", %{}) does, for this socket alone.
  def handle_in("disconnect_me", _payload, socket) do
    send(socket.transport_pid, %Broadcast{event: "disconnect"})
    {:noreply, socket}
  end

  # "crash" has no clause, and needs none.

  defp push_state(socket), do: push(socket, "presence_state", Presence.list(socket))

  defp meta(%{assigns: %{join: join, params: params}}) do
    Map.take(params, ["device", "name", "status"])
    |> Map.merge(Map.take(join, ["device", "name", "status"]))
    |> Map.put("online_at", Integer.to_string(System.system_time(:second)))
    |> Map.merge(Map.get(join, "meta", %{}))
  end

  defp key(payload, socket), do: Map.get(payload, "key", socket.assigns.user_id)

  defp tracked({:ok, ref}), do: {:ok, %{ref: ref}}
  defp tracked({:error, {:already_tracked, _, _, _}}), do: {:error, %{reason: "already_tracked"}}
  defp tracked({:error, reason}), do: {:error, %{reason: to_string(reason)}}

  defp delay(ms) when is_integer(ms) and ms >= 0, do: min(ms, @max_delay_ms)
  defp delay(_), do: 0
end
