for _ = 1, io.read("*n") do
	local a, b = io.read("*n", "*n")
	print(string.format("%d", a - b))
end
