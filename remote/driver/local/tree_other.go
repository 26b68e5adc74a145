//go:build !linux

package local

func openTree(path string, a *access) (openedTree, error) { return openRootTree(path, a) }
