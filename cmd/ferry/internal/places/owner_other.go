//go:build !unix

package places

import "io/fs"

// checkOwner has nothing to ask on this system: directories of the user are for the user alone.
func checkOwner(string, fs.FileInfo) error { return nil }
