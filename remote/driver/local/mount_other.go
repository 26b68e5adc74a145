//go:build !linux

package local

func isMount(string) (is, known bool) { return false, false }
