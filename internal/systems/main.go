// Command systems checks the types of the code, of its tests and of all that they import, as they
// are for other systems. It reads sources, where go vet would have all of that compiled first.
//
//	go run ./internal/systems darwin/arm64 windows/amd64
package main

import (
	"fmt"
	"os"
	"sync"
)

func main() {
	systems := os.Args[1:]
	wrong := make([][]error, len(systems))
	var all sync.WaitGroup
	read := newSources()
	for i, system := range systems {
		all.Go(func() { wrong[i] = check(read, ".", system) })
	}
	all.Wait()
	code := 0
	for i, system := range systems {
		for _, err := range wrong[i] {
			code = 1
			fmt.Printf("%s: %v\n", system, err)
		}
	}
	os.Exit(code)
}
