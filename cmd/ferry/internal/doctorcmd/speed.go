package doctorcmd

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"ferry/config"
	"ferry/remote"
)

const areaRemote = "remote"

// SlowCall is a time for one call to the remote that clients notice.
const SlowCall = 300 * time.Millisecond

// latencyCalls is how many calls the time of one is found by.
const latencyCalls = 5

// Latency tries how long the shortest call takes.
func Latency(ctx context.Context, r *Report, s remote.Remote) {
	var times []time.Duration
	for range latencyCalls {
		start := time.Now()
		if _, err := s.Stat(ctx, "."); err != nil {
			r.Fail(areaRemote, "latency", "try again: it answered before", "%v", err)
			return
		}
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	middle, longest := times[len(times)/2], times[len(times)-1]
	text := fmt.Sprintf("%v for a call, at most %v", rounded(middle), rounded(longest))
	if middle >= SlowCall {
		r.Warn(areaRemote, "latency", "clients wait for it with each new directory and each change: --dir-cache-time 1h remembers "+
			"directories longer, --vfs-cache-mode writes makes uploads wait for the local disk only", "%s", text)
		return
	}
	r.OK(areaRemote, "latency", "%s", text)
}

func rounded(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(time.Microsecond)
	}
	return d.Round(time.Millisecond)
}

// streams is how many transfers many are.
const streams = 4

// A Speed tries how much goes through, by files of its own. They have random names, and are removed
// whatever happens.
type Speed struct {
	Remote remote.Remote
	Size   int64  // of what is transferred at a time
	Dates  *Dates // of the calls before; nil = none

	name    string
	content []byte
}

// leastWorth is a rate that is too low for most uses, bytes per second.
const leastWorth = 256 << 10

// Run tries one and several uploads and downloads, and looks at the clock of the remote where Dates
// have not seen it.
func (s *Speed) Run(ctx context.Context, r *Report) {
	s.name = "ferry-doctor-" + rand.Text()[:10]
	s.content = make([]byte, s.Size)
	rand.Read(s.content) // it never fails
	defer s.cleanUp(ctx, r)
	begun := time.Now()
	if !s.rate(ctx, r, "upload", s.Size, func(ctx context.Context) error { return s.put(ctx, s.name, s.content) }) {
		return
	}
	s.clock(ctx, r, begun, time.Now())
	s.rate(ctx, r, "download", s.Size, func(ctx context.Context) error { return s.same(ctx, s.name, s.content, 0) })
	part := s.Size / streams
	s.rate(ctx, r, fmt.Sprintf("%d uploads", streams), part*streams, func(ctx context.Context) error {
		return together(ctx, func(ctx context.Context, i int) error {
			return s.put(ctx, s.part(i), s.content[int64(i)*part:int64(i+1)*part])
		})
	})
	s.rate(ctx, r, fmt.Sprintf("%d downloads", streams), part*streams, func(ctx context.Context) error {
		return together(ctx, func(ctx context.Context, i int) error {
			off := int64(i) * part
			return s.same(ctx, s.name, s.content[off:off+part], off)
		})
	})
}

func (s *Speed) part(i int) string { return fmt.Sprintf("%s-%d", s.name, i) }

// together runs do for each stream, and returns the first error.
func together(ctx context.Context, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	errs := make([]error, streams)
	var wg sync.WaitGroup
	for i := range streams {
		wg.Go(func() {
			if errs[i] = do(ctx, i); errs[i] != nil {
				cancel(errs[i])
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return errors.Join(errs...)
}

// rate runs do, which moves n bytes, and notes how fast that was.
func (s *Speed) rate(ctx context.Context, r *Report, what string, n int64, do func(context.Context) error) bool {
	start := time.Now()
	err := do(ctx)
	took := time.Since(start)
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil:
		r.Fail(areaRemote, what, "see what the log of the remote says; ferry check tries each step by itself", "%v", err)
		return false
	}
	perSecond := float64(n) / max(took.Seconds(), 1e-6)
	text := fmt.Sprintf("%.1f MiB/s: %s in %v", perSecond/(1<<20), config.Size(n), rounded(took))
	if perSecond < leastWorth {
		r.Warn(areaRemote, what, "the network or the remote is slow: --vfs-cache-mode writes lets clients go on meanwhile", "%s", text)
		return true
	}
	r.OK(areaRemote, what, "%s", text)
	return true
}

func (s *Speed) put(ctx context.Context, name string, content []byte) error {
	_, err := s.Remote.Put(ctx, name, bytes.NewReader(content), remote.PutOptions{Size: int64(len(content))})
	return err
}

var errOtherContent = errors.New("what was read is not what was written")

// same reads as many bytes as content has from off on, and compares them.
func (s *Speed) same(ctx context.Context, name string, content []byte, off int64) error {
	f, err := s.Remote.Open(ctx, name, off, int64(len(content)))
	if err != nil {
		return err
	}
	defer f.Close()
	got, err := io.ReadAll(io.LimitReader(f, int64(len(content))+1))
	if err == nil && !bytes.Equal(got, content) {
		err = errOtherContent
	}
	return err
}

// cleanTime is how long the end may take.
const cleanTime = 30 * time.Second

// cleanUp removes what was written, also after an interruption.
func (s *Speed) cleanUp(ctx context.Context, r *Report) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTime)
	defer cancel()
	names := []string{s.name}
	for i := range streams {
		names = append(names, s.part(i))
	}
	for _, name := range names {
		if err := s.Remote.Remove(ctx, name); err != nil && !errors.Is(err, remote.ErrNotExist) {
			r.Fail(areaRemote, "clean up", "remove it", "%q may be left there: %v", name, err)
		}
	}
}

// Abilities notes what the remote cannot do, and what follows. cached says that there is a cache
// mode that writes.
func Abilities(r *Report, s remote.Remote, cached bool) {
	caps := s.Info().Caps
	lacks := 0
	lack := func(what, follows string) {
		lacks++
		r.add(Row{areaRemote, "cannot", Skipped, what, follows})
	}
	if caps.ReadOnly {
		lack("change anything", "clients can only read")
		return
	}
	if _, stages := remote.AsStager(s); !stages && !cached {
		lack("continue an upload, nor hold one back until it is whole", "REST before STOR, and APPE, need --vfs-cache-mode writes")
	} else if stages && caps.NoParts && !cached {
		lack("keep an unfinished upload", "uploads that were cut begin anew, unless there is --vfs-cache-mode writes")
	}
	if !caps.MoveDir {
		lack("rename a directory at once", "ferry moves its files one by one")
	}
	if caps.ImplicitDirs {
		lack("keep empty directories as such", "a directory is there as long as it has files, or a marker")
	}
	if caps.ModTime == 0 {
		lack("keep modification times", "MFMT is refused, and files show the time of their upload")
	}
	if caps.CaseInsensitive {
		lack("tell a from A in names", "files whose names differ by that alone replace each other")
	}
	if _, watches := remote.AsWatcher(s); !watches && !caps.CheapStat {
		lack("tell what others change", "that shows after --dir-cache-time, or SIGHUP")
	}
	if lacks == 0 {
		r.OK(areaRemote, "abilities", "all that FTP asks for")
	}
}
