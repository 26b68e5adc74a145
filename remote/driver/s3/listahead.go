package s3

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/minio/minio-go/v7"
)

var errOutOfOrder = errors.New("the server lists what it was not asked for")

const (
	// soloPages of a listing are asked for one after the other. Only then is it worth guessing
	// where others begin.
	soloPages = 2
	// spanPages is how many pages there are between two guesses, if they are good.
	spanPages = 5
	// spanStreams is how many spans are listed at a time.
	spanStreams = 4
)

// ordered lists like ListObjectsIter, in the order of the keys. A page says where the next one
// begins, so that a long listing takes as many round trips as it has pages. But a listing may begin
// behind any key: from the keys of the first pages it is guessed which come much later, and the
// spans between the guesses are listed at the same time. A bad guess makes spans of unequal length,
// and never a wrong listing.
func (r *Remote) ordered(ctx context.Context, bucket string, o minio.ListObjectsOptions) iter.Seq[minio.ObjectInfo] {
	base := r.inOrder(ctx, bucket, o)
	if o.UseV1 || r.oneByOne.Load() {
		return base
	}
	return func(yield func(minio.ObjectInfo) bool) {
		next, stop := iter.Pull(base)
		defer stop()
		var keys []string
		guessable := true
		for n := 0; n < soloPages*o.MaxKeys || !guessable; n++ {
			object, ok := next()
			if !ok || !yield(object) {
				return
			}
			if object.Key == o.Prefix && object.Err == nil { // the directory itself
				continue
			}
			// Behind a directory nobody can begin, as it stands for all keys in it.
			if guessable = guessable && object.Err == nil && !strings.HasSuffix(object.Key, "/"); guessable {
				keys = append(keys, object.Key)
			}
		}
		if g := newGuesser(keys, o.Prefix, spanPages*o.MaxKeys); g != nil {
			l := &spanList{r: r, bucket: bucket, o: o, from: keys[len(keys)-1], guess: g}
			if l.list(ctx, yield) {
				return
			}
			r.oneByOne.Store(true)
		}
		for object, ok := next(); ok && yield(object); {
			object, ok = next()
		}
	}
}

// A spanList lists what comes behind the first pages.
type spanList struct {
	r      *Remote
	bucket string
	o      minio.ListObjectsOptions
	from   string   // where the next span begins
	guess  *guesser // nil when the last span has begun
	work   sync.WaitGroup
}

// A span is the keys behind from, up to and with to; all of them if to is empty.
type span struct {
	from, to string
	batches  chan []minio.ObjectInfo
	ripe     atomic.Bool // there is probably something behind it
	// Set before batches is closed.
	last    bool // there is nothing behind it
	ignored bool // the server does not begin where it was asked to
}

// list lists the spans in their order. It returns false, with nothing listed, if the server cannot
// do that.
func (l *spanList) list(ctx context.Context, yield func(minio.ObjectInfo) bool) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer l.work.Wait()
	defer cancel()
	var ahead []*span
	for len(ahead) < spanStreams && l.guess != nil {
		ahead = append(ahead, l.start(ctx))
	}
	for first := true; len(ahead) > 0; first = false {
		s := ahead[0]
		for batch := range s.batches {
			for _, object := range batch {
				if !yield(object) {
					return true
				}
			}
		}
		ahead = ahead[1:]
		switch {
		case s.ignored && first:
			return false
		case s.ignored:
			yield(minio.ObjectInfo{Err: errOutOfOrder})
			return true
		case s.last:
			return true
		}
		// The last one that has begun says whether it is worth beginning more.
		for len(ahead) < spanStreams && l.guess != nil && (len(ahead) == 0 || ahead[len(ahead)-1].ripe.Load()) {
			ahead = append(ahead, l.start(ctx))
		}
	}
	return true
}

// start begins to list the next span.
func (l *spanList) start(ctx context.Context) *span {
	const perPage = 4
	s := &span{from: l.from, batches: make(chan []minio.ObjectInfo, 2*spanPages*perPage)}
	if to, ok := l.guess.next(); ok && to > s.from {
		s.to = to
	} else {
		l.guess = nil
	}
	l.from = s.to
	l.work.Go(func() {
		defer close(s.batches)
		l.fill(ctx, s, max(l.o.MaxKeys/perPage, 1))
	})
	return s
}

// fill lists a span in batches of so many objects.
func (l *spanList) fill(ctx context.Context, s *span, size int) {
	o := l.o
	o.StartAfter = s.from
	var batch []minio.ObjectInfo
	send := func() bool {
		if len(batch) == 0 {
			return true
		}
		select {
		case s.batches <- batch:
			batch = nil
			return true
		case <-ctx.Done():
			return false
		}
	}
	passed := false // the end of the span
	n := 0
	for object := range l.r.inOrder(ctx, l.bucket, o) {
		if n++; object.Err == nil && object.Key <= s.from {
			s.ignored = true
			return
		}
		inside := object.Err != nil || s.to == "" || object.Key <= s.to
		if inside {
			if batch == nil {
				batch = make([]minio.ObjectInfo, 0, size)
			}
			batch = append(batch, object)
		}
		if passed = passed || !inside || object.Key == s.to && s.to != ""; passed || n >= (spanPages-1)*o.MaxKeys {
			s.ripe.Store(true)
		}
		if len(batch) == size && !send() || passed && n%o.MaxKeys == 0 { // to the end of a page
			break
		}
	}
	s.last = !passed
	send()
}
