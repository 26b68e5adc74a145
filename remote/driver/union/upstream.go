package union

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"ferry/remote"
	"ferry/remote/driver/internal/conns"
)

// An Upstream is one of the remotes.
type Upstream struct {
	Remote   remote.Remote
	ReadOnly bool // nothing in it is changed
	NoCreate bool // nothing new is stored in it
}

// An upstream is an Upstream in its place.
type upstream struct {
	Upstream
	index int
	usage usage
}

func (u *upstream) name() string { return u.Remote.Info().Name }

// readOnly reports whether nothing in the upstream can be changed.
func (u *upstream) readOnly() bool { return u.ReadOnly || u.Remote.Info().Caps.ReadOnly }

// fail tells which upstream err is of. nil stays nil.
func (u *upstream) fail(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", u.name(), err)
}

// tries is how often an upstream is asked once more whose idle connections were lost.
const tries = 3

// lost reports whether a connection was found to be broken that had been idle. Nobody above asks
// again when other upstreams have answered; another connection may be as good as ever.
func lost(err error) bool { return conns.Broken(err) && !remote.Permanent(err) }

// seen changes an entry of the upstream into what is seen here.
func (u *upstream) seen(e remote.Entry) remote.Entry {
	if e.ID != 0 {
		h := fnv.New64a() // two upstreams may have given the same number
		h.Write(binary.BigEndian.AppendUint64([]byte{byte(u.index)}, e.ID))
		e.ID = max(1, h.Sum64())
	}
	return e
}

// cause returns err, or other if err is nil.
func cause(err, other error) error {
	if err == nil {
		return other
	}
	return err
}
