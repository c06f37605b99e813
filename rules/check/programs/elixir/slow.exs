defmodule Slow do
  def loop(n), do: loop(rem(n + 1, 1024))
end

Slow.loop(0)
