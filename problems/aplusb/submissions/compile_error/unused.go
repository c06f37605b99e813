package main

import "fmt"

func main() {
	var a, b int
	fmt.Println(7)
}
