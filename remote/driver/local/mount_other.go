//go:build !linux

package local

func isMount(dir, above string) bool { return otherDevice(dir, above) }
