all = [] of Array(Int32)
loop { all << Array.new(100_000, 1) }
