package systemd

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/coreos/go-systemd/v22/activation"
)

// Names of sockets (FileDescriptorName= of a .socket unit), and the flags whose addresses they
// replace.
const (
	FTP      = "ftp"       // --addr
	FTPS     = "ftps"      // --implicit-tls-addr
	RC       = "rc"        // --rc-addr
	Metrics  = "metrics"   // --metrics-addr
	ACMEHTTP = "acme-http" // --acme-http-addr
)

// names are all, and whether they may be sockets of a file.
var names = map[string]bool{FTP: false, FTPS: false, RC: true, Metrics: true, ACMEHTTP: false}

// Sockets are those that the service manager listens on. nil is none.
type Sockets struct {
	listeners map[string][]net.Listener // that nobody has taken, by name
}

// Inherit takes over the sockets of the service manager. It is called once in a process.
func Inherit() (*Sockets, error) {
	s := &Sockets{listeners: map[string][]net.Listener{}}
	for _, file := range activation.Files(true) {
		l, err := net.FileListener(file)
		file.Close() // l has a copy
		if err == nil {
			s.listeners[file.Name()] = append(s.listeners[file.Name()], l)
			err = check(file.Name(), l)
		} else {
			err = fmt.Errorf("the socket %q of the service manager is none that listens for a stream (it is to have Accept=no): %w", file.Name(), err)
		}
		if err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

func check(name string, l net.Listener) error {
	ofFile, known := names[name]
	switch {
	case !known:
		return fmt.Errorf("the service manager hands over a socket called %q, and ferry knows %s: set FileDescriptorName= in the .socket unit",
			name, strings.Join(slices.Sorted(maps.Keys(names)), ", "))
	case !ofFile && l.Addr().Network() != "tcp":
		return fmt.Errorf("the socket %q of the service manager is none of TCP: give ListenStream= a port", name)
	}
	return nil
}

// Take returns the listeners of a name, which are the caller's from now on; nil if there are none.
// It may be called on nil, as Close and Unused.
func (s *Sockets) Take(name string) []net.Listener {
	if s == nil {
		return nil
	}
	ls := s.listeners[name]
	delete(s.listeners, name)
	return ls
}

// Copies returns listeners on the sockets of ls, for what listens only now and then: closing them
// leaves ls open.
func Copies(ls []net.Listener) (copies []net.Listener, err error) {
	defer func() {
		if err != nil {
			for _, l := range copies {
				l.Close()
			}
		}
	}()
	for _, l := range ls {
		of, can := l.(interface{ File() (*os.File, error) })
		if !can {
			return copies, errors.ErrUnsupported
		}
		file, err := of.File()
		if err != nil {
			return copies, err
		}
		another, err := net.FileListener(file)
		file.Close() // another has a copy
		if err != nil {
			return copies, err
		}
		copies = append(copies, another)
	}
	return copies, nil
}

// Unused returns an error if nobody has taken a socket: it would look as if it were served.
func (s *Sockets) Unused() error {
	if s == nil || len(s.listeners) == 0 {
		return nil
	}
	return errors.New("the service manager hands over sockets that nothing serves: " +
		strings.Join(slices.Sorted(maps.Keys(s.listeners)), ", ") + " (give the flags that turn them on, as --rc, or stop their .socket units)")
}

// Close closes the listeners that nobody has taken.
func (s *Sockets) Close() {
	if s == nil {
		return
	}
	for _, ls := range s.listeners {
		for _, l := range ls {
			l.Close()
		}
	}
}
