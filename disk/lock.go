package disk

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
)

// pidOffset is the position of the process ID in the lock file. On Windows others cannot read
// locked bytes, but may read after them.
const pidOffset = 1

// Lock implements Disk with an advisory lock of the system, which ends with the process however it
// dies. The file also holds the process ID, for the error message.
func (d *dir) Lock(name string) (io.Closer, error) {
	f, err := d.root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := tryLock(f); err != nil {
		if errors.Is(err, ErrHeld) {
			err = &HeldError{Dir: d.name, PID: readPID(f)}
		}
		return nil, errors.Join(err, f.Close())
	}
	if err := writePID(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(" "+strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func readPID(f *os.File) int {
	buf := make([]byte, 20)
	n, _ := f.ReadAt(buf, pidOffset) // io.EOF; any other error leaves the ID unknown
	pid, err := strconv.Atoi(strings.TrimSpace(string(buf[:n])))
	if err != nil {
		return 0
	}
	return pid
}
