package main

import (
	"context"
	"strings"
)

// rcloneTuned is the third column over S3: rclone as somebody would set it who knows what its
// defaults cost here.
const rcloneTuned = "rclone tuned"

// tunedFlags ask for sixteen ranges of 4 MiB at a time, and for the server's times rather than a
// request for each object.
var tunedFlags = []string{"--vfs-read-chunk-streams", "16", "--vfs-read-chunk-size", "4M", "--use-server-modtime"}

// farKinds lists the servers of an S3 bucket in the order of the table's columns.
func farKinds() []kind {
	return []kind{
		{"ferry", findFarFerry},
		{"rclone", findFarRclone()},
		{rcloneTuned, findFarRclone(tunedFlags...)},
	}
}

func findFarFerry(ctx context.Context, b *bench) (program, error) {
	bin, version, err := b.ferry(ctx)
	if err != nil {
		return program{}, err
	}
	p := program{version: version, user: benchUser, pass: benchPass}
	p.command = serveFTP(bin, farRemote, b.far.env(b.far.link.Addr()))
	return p, nil
}

func findFarRclone(flags ...string) func(ctx context.Context, b *bench) (program, error) {
	return func(ctx context.Context, b *bench) (program, error) {
		bin, err := b.installed(ctx, rcloneModule, rcloneVersion)
		if err != nil {
			return program{}, err
		}
		p := program{version: versionOf(ctx, nil, bin, "version"), user: benchUser, pass: benchPass}
		if len(flags) > 0 {
			p.version += " (`" + strings.Join(flags, " ") + "`)"
		}
		p.command = serveFTP(bin, farRemote, b.far.env(b.far.link.Addr()), flags...)
		return p, nil
	}
}
