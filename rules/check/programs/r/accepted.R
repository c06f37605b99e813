input <- file("stdin", "r")
n <- as.integer(readLines(input, 1))
for (line in readLines(input, n)) {
  numbers <- as.numeric(strsplit(line, " ")[[1]])
  cat(sprintf("%.0f\n", sum(numbers)))
}
