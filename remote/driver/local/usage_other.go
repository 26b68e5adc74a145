//go:build !linux && !darwin && !freebsd && !windows

package local

import "ferry/remote"

func (t *rootTree) usage() (total, free int64, err error) { return 0, 0, remote.ErrUnsupported }
