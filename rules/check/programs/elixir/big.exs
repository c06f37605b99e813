defmodule Big do
  def loop(all), do: loop([Enum.to_list(1..10000) | all])
end

Big.loop([])
