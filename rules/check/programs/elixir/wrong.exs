defmodule Wrong do
  def main do
    for _ <- 1..String.to_integer(String.trim(IO.gets(""))) do
      [a, b] = IO.gets("") |> String.split() |> Enum.map(&String.to_integer/1)
      IO.puts(a - b)
    end
  end
end

Wrong.main()
