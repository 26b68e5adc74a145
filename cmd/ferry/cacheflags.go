package main

import (
	"time"

	"github.com/spf13/pflag"

	"ferry/config"
)

// cacheOptions are the values of the flags about the disk cache.
type cacheOptions struct {
	mode            config.CacheMode
	ack             string
	writeBack       time.Duration
	transfers       uint32
	maxAge          time.Duration
	maxSize         config.Size
	minFree         config.Size
	poll            time.Duration
	readAhead       config.Size
	fastFingerprint bool
	flush           time.Duration // when ferry stops
}

func cacheFlags() []flag {
	return []flag{
		{name: "cache-dir", def: "", usage: "Directory for what waits, caches and the self-signed certificate; else $STATE_DIRECTORY, the user's cache directory, or for root without HOME /var/lib/ferry",
			value: func(o *options) pflag.Value { return textValue(&o.cacheDir) }},
		{name: "vfs-cache-mode", def: "off", usage: "What is kept on local disk",
			value: func(o *options) pflag.Value { return cacheModeValue(&o.cache.mode) }},
		{name: "vfs-write-ack", def: "durable", usage: "What 226 means for a file that is written back: it is on the remote, it survives loss of power, or it survives the end of ferry",
			value: func(o *options) pflag.Value { return choiceValue(&o.cache.ack, "remote", "durable", "spooled") }},
		{name: "vfs-write-back", def: "5s", usage: "Time after an upload until it is written to the remote",
			value: func(o *options) pflag.Value { return durationValue(&o.cache.writeBack) }},
		{name: "transfers", def: "4", usage: "Files that are written to the remote at a time",
			value: func(o *options) pflag.Value { return uintValue(&o.cache.transfers) }},
		{name: "vfs-cache-max-age", def: "1h", usage: "Longest time since the last use that files stay in the cache",
			value: func(o *options) pflag.Value { return durationValue(&o.cache.maxAge) }},
		{name: "vfs-cache-max-size", def: "off", usage: "Largest total size of the cache; it is never exceeded",
			value: func(o *options) pflag.Value { return sizeValue(&o.cache.maxSize) }},
		{name: "vfs-cache-min-free-space", def: "off", usage: "Least space that the cache leaves free on its disk",
			value: func(o *options) pflag.Value { return sizeValue(&o.cache.minFree) }},
		{name: "vfs-cache-poll-interval", def: "1m", usage: "Time between looks for stale files in the cache",
			value: func(o *options) pflag.Value { return durationValue(&o.cache.poll) }},
		{name: "vfs-read-ahead", def: "0", usage: "Bytes fetched into the cache beyond --buffer-size, in mode full",
			value: func(o *options) pflag.Value { return sizeValue(&o.cache.readAhead) }},
		{name: "vfs-fast-fingerprint", def: "false", bare: on, usage: "Do not ask the remote for what is slow to get when it tells whether a cached file is still the same",
			value: func(o *options) pflag.Value { return boolValue(&o.cache.fastFingerprint) }},
		{name: "shutdown-flush", def: "0s", usage: "Time to wait at the end for files to reach the remote; what is left is sent after the next start",
			value: func(o *options) pflag.Value { return durationValue(&o.cache.flush) }},
	}
}
