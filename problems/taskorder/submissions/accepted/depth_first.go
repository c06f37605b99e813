// Depth first from every task, printed in reverse order of finishing, a task a line.
package main

import (
	"bufio"
	"fmt"
	"os"
)

var after [][]int
var state []int
var finished []int

func visit(task int) bool {
	state[task] = 1
	for _, next := range after[task] {
		if state[next] == 1 || state[next] == 0 && !visit(next) {
			return false
		}
	}
	state[task] = 2
	finished = append(finished, task)
	return true
}

func main() {
	in := bufio.NewReader(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	var n, m, a, b int
	fmt.Fscan(in, &n, &m)
	after = make([][]int, n+1)
	state = make([]int, n+1)
	for ; m > 0; m-- {
		fmt.Fscan(in, &a, &b)
		after[a] = append(after[a], b)
	}
	for task := 1; task <= n; task++ {
		if state[task] == 0 && !visit(task) {
			fmt.Fprintln(out, "impossible")
			return
		}
	}
	for i := n - 1; i >= 0; i-- {
		fmt.Fprintln(out, finished[i])
	}
}
