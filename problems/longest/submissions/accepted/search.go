package main

import (
	"bufio"
	"fmt"
	"os"
	"sort"
	"strconv"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Split(bufio.ScanWords)
	in.Scan()
	var tail []int
	for in.Scan() {
		height, err := strconv.Atoi(in.Text())
		if err != nil {
			panic(err)
		}
		at := sort.SearchInts(tail, height)
		if at == len(tail) {
			tail = append(tail, height)
		} else {
			tail[at] = height
		}
	}
	fmt.Println(len(tail))
}
