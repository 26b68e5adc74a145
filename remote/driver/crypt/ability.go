package crypt

import (
	"context"
	"io/fs"
	"time"

	"ferry/remote"
)

// CheckName implements remote.NameChecker: the encrypted name must be one that the remote below can
// hold.
func (r *Remote) CheckName(name string) error {
	_, err := r.fits(name)
	return remote.Renamed("checkname", name, err)
}

// SetsTimes implements remote.TimeTeller.
func (r *Remote) SetsTimes() bool { return remote.SetsTimes(r.below) }

// SetModTime implements remote.ModTimer.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	p, err := r.find(name)
	if err == nil {
		err = r.isDir(ctx, p, remote.SetModTime(ctx, r.below, p.file, t))
	}
	return remote.Renamed("setmodtime", name, err)
}

// CheckTime implements remote.TimeChecker.
func (r *Remote) CheckTime(name string, t time.Time) error {
	p, err := r.find(name)
	if err == nil {
		err = remote.CheckTime(r.below, p.file, t)
	}
	return remote.Renamed("checktime", name, err)
}

// SetMode implements remote.Moder.
func (r *Remote) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	p, err := r.find(name)
	if err != nil {
		return remote.Renamed("setmode", name, err)
	}
	err = remote.SetMode(ctx, r.below, p.file, perm)
	if p.split() && missing(err) {
		err = remote.SetMode(ctx, r.below, p.dir, perm)
	}
	return remote.Renamed("setmode", name, err)
}

// Usage implements remote.Usager: what the remote below tells, which is a little more than the
// files have.
func (r *Remote) Usage(ctx context.Context) (remote.Usage, error) {
	u, err := remote.GetUsage(ctx, r.below)
	return u, remote.Renamed("usage", ".", err)
}

// SweepParts implements remote.PartSweeper.
func (r *Remote) SweepParts(ctx context.Context) error {
	return remote.Renamed("sweepparts", ".", remote.SweepParts(ctx, r.below))
}
