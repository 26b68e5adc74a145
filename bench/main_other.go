//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: needs Linux: it reads control groups and /proc, and its client uses Linux socket calls")
	os.Exit(1)
}
