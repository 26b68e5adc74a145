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
// dies. The file also holds the process ID and the name of the
// machine, for the error message.
func (d *dir) Lock(name string) (io.Closer, error) {
	f, err := d.root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := tryLock(f); err != nil {
		if errors.Is(err, ErrHeld) {
			held := &HeldError{Dir: d.name}
			held.PID, held.Host = readHolder(f)
			err = held
		}
		return nil, errors.Join(err, f.Close())
	}
	if err := writeHolder(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func writeHolder(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	_, err = f.WriteAt([]byte(" "+strconv.Itoa(os.Getpid())+"\n"+host+"\n"), 0)
	return err
}

func readHolder(f *os.File) (pid int, host string) {
	buf := make([]byte, 300)
	n, _ := f.ReadAt(buf, pidOffset) // io.EOF; any other error leaves the holder unknown
	number, rest, _ := strings.Cut(string(buf[:n]), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil {
		return 0, ""
	}
	host, _, _ = strings.Cut(rest, "\n")
	return pid, host
}
