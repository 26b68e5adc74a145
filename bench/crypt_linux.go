package main

import (
	"context"
	"fmt"
	"slices"
)

// The suite "crypt" serves the bucket of suite s3 encrypted, by ferry and by rclone, and beside
// them by ferry as it is.

// secret is the remote in which names of files and contents are encrypted. Names of directories are
// not, so that uploads are found.
const secret = "secret:"

// secretEnv describes the remote. The password is "potato", obscured, and no secret.
func secretEnv() []string {
	return []string{
		"RCLONE_CONFIG_SECRET_TYPE=crypt",
		"RCLONE_CONFIG_SECRET_REMOTE=" + farRemote,
		"RCLONE_CONFIG_SECRET_PASSWORD=5uzT63CwWfyXz6A1U1hhD1pu_WDtvg",
		"RCLONE_CONFIG_SECRET_DIRECTORY_NAME_ENCRYPTION=false",
	}
}

func cryptKinds() []kind {
	return []kind{
		{"ferry", findCrypt(true)},
		{"ferry, not encrypted", findFarFerry},
		{"rclone", findCrypt(false)},
	}
}

// findCrypt finds ferry, or rclone, over the encrypted bucket.
func findCrypt(isFerry bool) func(ctx context.Context, b *bench) (program, error) {
	return func(ctx context.Context, b *bench) (p program, err error) {
		var bin string
		if isFerry {
			bin, p.version, err = b.ferry(ctx)
		} else if bin, err = b.installed(ctx, rcloneModule, rcloneVersion); err == nil {
			p.version = versionOf(ctx, nil, bin, "version")
		}
		if err != nil {
			return program{}, err
		}
		p.user, p.pass = benchUser, benchPass
		p.command = serveFTP(bin, secret, slices.Concat(b.far.env(b.far.link.Addr()), secretEnv()))
		return p, nil
	}
}

// layoutCrypt fills the bucket twice, as it is and encrypted.
func layoutCrypt(ctx context.Context, b *bench) error {
	if err := layoutFar(ctx, b); err != nil {
		return err
	}
	bin, _, err := b.ferry(ctx)
	if err != nil {
		return err
	}
	p := program{user: benchUser, pass: benchPass}
	p.command = serveFTP(bin, secret, slices.Concat(b.far.env(b.far.direct), secretEnv()))
	in, err := b.start(ctx, server{"filling", p}, launch{})
	if err != nil {
		return err
	}
	defer in.tree.stop()
	return fill(b, in)
}

// cryptWorkloads lists the rows. The aims are half of what rclone takes, and for the first byte 10
// ms more than without encryption; the other columns show whether they are met.
func cryptWorkloads() []workload {
	return []workload{
		{name: "crypt-stor", title: func(s scale) string { return "STOR " + sizeText(s.storBytes) }, run: cryptStor, metrics: []metric{
			{unit: "s until 226", digits: 2}, {unit: "CPU s/GiB", digits: 2}, {unit: "MiB of memory for it"}}},
		{name: "crypt-up", title: func(s scale) string { return smallTitle(s) + " up" }, run: cryptSmallUp, metrics: []metric{
			{unit: "files/s", higher: true}, {unit: "requests each", digits: 2}, {unit: "CPU ms/file", digits: 2}}},
		{name: "crypt-retr", title: retrTitle, run: farRetr, metrics: []metric{
			{unit: "MB/s", higher: true}, {unit: "CPU s/GiB", digits: 2}, {unit: "peak RSS MiB"}, {unit: "requests"}}},
		{name: "crypt-rest", title: restTitle, run: farRest, metrics: []metric{
			{unit: "ms to first byte"}, {unit: "MiB pulled", digits: 1}}},
	}
}

func cryptStor(b *bench, in *instance) ([]float64, error) {
	u, err := farStorBig(b, in)
	return []float64{u.took.Seconds(), u.cpu.Seconds() / (float64(b.scale.storBytes) / (1 << 30)), u.grown}, err
}

func cryptSmallUp(b *bench, in *instance) ([]float64, error) {
	u, err := farStorSmall(b, in)
	n := float64(b.scale.smallFiles)
	if err == nil {
		err = b.countUploads(b.scale.smallFiles)
	}
	return []float64{n / u.took.Seconds(), u.requests / n, u.cpu.Seconds() * 1000 / n}, err
}

func cryptFull() scale {
	s := farFull()
	s.storBytes, s.smallFiles, s.listFiles, s.headFiles = s.bigBytes, 5000, 0, 0
	return s
}

func cryptQuick() scale {
	s := farQuick()
	s.listFiles, s.headFiles = 0, 0
	return s
}

// countUploads is nil if there are n uploads.
func (b *bench) countUploads(n int) error {
	entries, err := b.uploads()
	if err == nil && len(entries) != n {
		err = fmt.Errorf("%d files of %d are there after 226", len(entries), n)
	}
	return err
}
