//go:build (!unix || solaris || aix) && !windows

package disk

import (
	"errors"
	"os"
)

func tryLock(*os.File) error { return errors.ErrUnsupported }
