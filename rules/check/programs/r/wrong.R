numbers <- scan(file("stdin"), quiet = TRUE)
a <- numbers[seq(2, length(numbers), 2)]
b <- numbers[seq(3, length(numbers), 2)]
cat(sprintf("%.0f\n", a - b), sep = "")
