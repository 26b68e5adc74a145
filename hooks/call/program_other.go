//go:build !unix

package call

import "os/exec"

// killGroup does nothing: processes have no groups here.
func killGroup(*exec.Cmd) {}
