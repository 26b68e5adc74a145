//go:build !linux

package ftp

import "time"

// threadTime is not known here.
func threadTime() time.Duration { return 0 }
