//go:build unix

package local

import (
	"runtime"
	"time"
)

const (
	caseInsensitive = runtime.GOOS == "darwin" || runtime.GOOS == "ios"
	keepsModes      = true
	timePrecision   = time.Nanosecond
)

// holds reports whether the system can hold elem as a name. Here it can hold any.
func holds(string) bool { return true }
