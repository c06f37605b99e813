// Room for ten thousand heights only: panics beyond them.
package main

import (
	"bufio"
	"fmt"
	"os"
	"sort"
)

func main() {
	in := bufio.NewReader(os.Stdin)
	var height [10000]int
	var n int
	fmt.Fscan(in, &n)
	for i := 0; i < n; i++ {
		fmt.Fscan(in, &height[i])
	}
	var tail []int
	for i := 0; i < n; i++ {
		at := sort.SearchInts(tail, height[i])
		if at == len(tail) {
			tail = append(tail, 0)
		}
		tail[at] = height[i]
	}
	fmt.Println(len(tail))
}
