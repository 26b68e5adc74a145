//go:build !linux

package main

// memoryLimit is not known here.
func memoryLimit() uint64 { return 0 }
