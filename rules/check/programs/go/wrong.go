package main

import "fmt"

func main() {
	var n, a, b int64
	for fmt.Scan(&n); n > 0; n-- {
		fmt.Scan(&a, &b)
		fmt.Println(a - b)
	}
}
