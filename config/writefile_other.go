//go:build !unix

package config

import (
	"io/fs"
	"os"
)

// keepOwner does nothing: a new file inherits its access rights from the directory.
func keepOwner(*os.File, fs.FileInfo) bool { return true }

// syncDir does nothing: directories cannot be synced here.
func syncDir(string) error { return nil }
