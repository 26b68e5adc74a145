package main

import (
	"github.com/spf13/pflag"

	"ferry/config"
)

// chainOptions are the values of the flags that say how a remote is used.
type chainOptions struct {
	attempts    uint32
	bandwidth   config.Bandwidth
	rate        float64 // calls per second; 0 = no limit
	burst       uint32
	connections uint32 // calls under way at once; 0 = no limit
}

func remoteFlags() []flag {
	return []flag{
		{name: "low-level-retries", def: "10", usage: "How often a call to the remote is made at most when it fails on the way",
			value: func(o *options) pflag.Value { return uintValue(&o.chain.attempts) }},
		{name: "bwlimit", def: "off", usage: "Bytes per second to and from the remote: a rate (10M), UP:DOWN (1M:off), or a timetable (\"08:00,512 19:00,off\")",
			value: func(o *options) pflag.Value { return bandwidthValue(&o.chain.bandwidth) }},
		{name: "tpslimit", def: "0", usage: "Calls to the remote per second; 0 is no limit",
			value: func(o *options) pflag.Value { return rateValue(&o.chain.rate) }},
		{name: "tpslimit-burst", def: "1", usage: "Calls that --tpslimit lets begin at once after a pause",
			value: func(o *options) pflag.Value { return uintValue(&o.chain.burst) }},
		{name: "max-connections", def: "0", usage: "Calls to the remote that are under way at once, running downloads and uploads among them; the others wait; 0 is no limit",
			value: func(o *options) pflag.Value { return uintValue(&o.chain.connections) }},
	}
}
