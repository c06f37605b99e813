// Leaves the second number out.
package main

import (
	"bufio"
	"fmt"
	"os"
)

func main() {
	in := bufio.NewReader(os.Stdin)
	var n int
	var sum float64
	fmt.Fscan(in, &n)
	for i := 0; i < n; i++ {
		var x float64
		fmt.Fscan(in, &x)
		sum += x
	}
	fmt.Println(sum / float64(n))
}
