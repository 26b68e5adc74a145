package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
	"ferry/remote"
)

// explainRoot says what is wrong with what is to be served.
func explainRoot(what string, err error) error {
	if errors.As(err, new(flags.UsageError)) {
		return err
	}
	return fmt.Errorf("%q: %w", config.RedactRemote(what), adviseRoot(what, err))
}

// adviseRoot adds to the error of a root what is to be done about it, as far as the driver has not.
func adviseRoot(what string, err error) error {
	why := err
	if path, ok := err.(*fs.PathError); ok {
		why = path.Err
	}
	number := syscall.Errno(0)
	isNumber := errors.As(why, &number) // else it is an answer from afar
	switch {
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return fmt.Errorf("%w: name its certificate by --ca-cert, or trust any by --no-check-certificate", why)
	case errors.Is(err, remote.ErrNotExist) && (strings.Contains(why.Error(), "correct the path") || strings.Contains(why.Error(), "check the option")):
		return why // the driver knows what is missing
	case errors.Is(err, remote.ErrNotExist) && (isNumber || why == remote.ErrNotExist):
		return &advice{"there is no such directory: create it, or correct the path" + whichDir(what, err), why}
	case errors.Is(err, remote.ErrNotExist):
		return fmt.Errorf("there is no such directory: create it, or correct the path (%w)", why)
	case errors.Is(err, remote.ErrNotDir):
		return errors.New("it is not a directory: give the directory that holds it")
	case errors.Is(err, remote.ErrPermission) && isNumber:
		return fmt.Errorf("permission denied: run ferry as a user who may read it (%w)", err)
	case why == remote.ErrPermission:
		return fmt.Errorf("%w: correct the rights there, or the login of the remote", why)
	}
	return why
}

// whichDir names the directory of this machine that err is about, where what names other remotes
// or describes one: those may be made of several.
func whichDir(what string, err error) string {
	var at *fs.PathError
	if !errors.As(err, &at) || !filepath.IsAbs(at.Path) || strings.HasSuffix(config.RedactRemote(what), at.Path) {
		return ""
	}
	return " (" + at.Path + ")"
}

// An advice is an error in other words, which still is that error.
type advice struct {
	text string
	err  error
}

func (a *advice) Error() string { return a.text }
func (a *advice) Unwrap() error { return a.err }
