//go:build !linux

package local

func openTree(path string, links bool) (tree, error) { return openRootTree(path, links) }
