package main

import (
	"context"
	"log/slog"

	"github.com/spf13/pflag"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/count"
	"ferry/remote/limit"
	"ferry/remote/logged"
	"ferry/remote/retry"
)

// chainOptions are the values of the flags that say how a remote is used.
type chainOptions struct {
	attempts    uint32
	bandwidth   config.Bandwidth
	rate        float64 // calls per second; 0 = no limit
	burst       uint32
	connections uint32 // calls under way at once; 0 = no limit
}

// maxConnections bounds --max-connections: more is no limit to speak of, and takes memory.
const maxConnections = 1 << 20

func remoteFlags() []flag {
	return []flag{
		{name: "low-level-retries", def: "10", effect: true, usage: "How often a call to the remote is made at most when it fails on the way",
			value: func(o *options) pflag.Value { return uintValue(&o.chain.attempts) }},
		{name: "bwlimit", def: "off", effect: true, usage: "Bytes per second to and from the remote: a rate (10M), UP:DOWN (1M:off), or a timetable (\"08:00,512 19:00,off\")",
			value: func(o *options) pflag.Value { return bandwidthValue(&o.chain.bandwidth) }},
		{name: "tpslimit", def: "0", effect: true, usage: "Calls to the remote per second; 0 is no limit",
			value: func(o *options) pflag.Value { return rateValue(&o.chain.rate) }},
		{name: "tpslimit-burst", def: "1", effect: true, usage: "Calls that --tpslimit lets begin at once after a pause",
			value: func(o *options) pflag.Value { return uintValue(&o.chain.burst) }},
		{name: "max-connections", def: "0", effect: true, usage: "Calls to the remote that are under way at once, running downloads and uploads among them; the others wait; 0 is no limit",
			value: func(o *options) pflag.Value { return uintValue(&o.chain.connections) }},
	}
}

// newChain puts the decorators around a driver: logged(retry(count(limit(driver)))). Counted is what the driver is asked
// to do, repetitions included; logged is what came of it, and what drivers warn of. A remote of this machine is only
// limited, asked again or logged when a flag says so: its files are sent and received without a copy.
func (o *options) newChain(driver remote.Remote, log *slog.Logger) (remote.Remote, *count.Remote) {
	r := driver
	l := o.chain.limits()
	if o.rc.dial != nil && (!driver.Info().Caps.Live || o.given("bwlimit")) {
		l.Bandwidth = o.rc.dial.connect()
	}
	if l.Bandwidth != nil || l.Rate > 0 || l.Connections > 0 {
		r = limit.New(r, l)
	}
	counts := count.New(r)
	r = counts
	if !driver.Info().Caps.Live || o.given("low-level-retries") {
		r = retry.New(r, retry.Options{Attempts: int(max(o.chain.attempts, 1))})
	}
	if !driver.Info().Caps.Live || log.Enabled(context.Background(), slog.LevelInfo) {
		r = logged.New(r, log)
	}
	return r, counts
}

func (o *chainOptions) limits() limit.Options {
	l := limit.Options{Rate: o.rate, Burst: int(o.burst), Connections: int(min(o.connections, maxConnections))}
	if o.bandwidth.String() != config.SizeOff.String() {
		l.Bandwidth = o.bandwidth.At
	}
	return l
}

// logCounts logs what the driver was asked to do.
func logCounts(ctx context.Context, log *slog.Logger, counts *count.Remote) {
	s := counts.Stats()
	var calls, errs int64
	for _, m := range s.Methods {
		calls += m.Calls
		errs += m.Errors
	}
	log.InfoContext(ctx, "The remote was used", "remote", counts.Info().Name, "calls", calls, "errors", errs, "up", s.Up, "down", s.Down)
}
