// attack: expect=memory_limit|exited:2 policy=managed memory=64M processes=64 time=3s layer=memory why=memory limit, for a runtime that would rather have more
package main

func main() {
	var kept [][]byte
	results := make(chan []byte)
	for i := 0; i < 64; i++ {
		go func() {
			for {
				block := make([]byte, 1<<20)
				for at := 0; at < len(block); at += 1024 {
					block[at] = 1
				}
				results <- block
			}
		}()
	}
	for len(kept) < 1024 {
		kept = append(kept, <-results)
	}
	println("ESCAPED: a gigabyte of 64 MB allowed")
}
