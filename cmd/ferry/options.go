package main

import (
	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/places"
)

// options are the values of all flags, and what follows from them.
type options struct {
	flags.Options
	places places.Dirs // by CacheDir
}
