package main

import (
	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/places"
)

// options are the values of all flags, and what follows from them.
type options struct {
	flags.Options
	places places.Dirs // by CacheDir

	// shown returns the flags, for the call options/get.
	shown func() map[string]map[string]any
}
