gets.to_i.times do
  a, b = gets.split.map(&:to_i)
  puts a - b
end
