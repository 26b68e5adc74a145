package writeback

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"ferry/cache"
	"ferry/dircache"
	"ferry/events"
	"ferry/remote"
)

// What becomes of an upload is an event: the remote has the file (UploadStored), or will never take
// it (UploadRefused). Only an upload with an Origin has events. They are recorded before the record
// of the upload is dropped, so a process that is killed between leaves the record, and the next one
// records the same event again, with the same ID.

// A teller records what becomes of uploads.
type teller struct {
	// constant
	stream *events.Stream // nil: nobody listens
	below  remote.Remote
	names  *dircache.Tree // of below; nil = nothing is cached
	remote string         // type of below
	place  string         // of below
	began  time.Time      // of the process, or of this part of it

	unsettled unsettled
}

func newTeller(stream *events.Stream, below remote.Remote, names *dircache.Tree) *teller {
	info := below.Info()
	kind, _, _ := strings.Cut(info.Name, ":")
	return &teller{
		stream: stream, below: below, names: names, remote: kind, place: info.Identity(), began: time.Now(),
		unsettled: unsettled{wake: make(chan struct{}, 1)},
	}
}

// An upload is whose upload a file is.
type upload struct {
	events.Origin
	before []string // paths that it had before, oldest first
}

// origin returns the Origin of ctx for an upload of name, or that of an earlier context; nil if
// there is none, or if nobody listens to what becomes of uploads.
func (t *teller) origin(ctx context.Context, earlier *events.Origin, name string) *events.Origin {
	if !t.stream.Wants(events.UploadStored) && !t.stream.Wants(events.UploadRefused) && !t.stream.Wants(events.UploadConflict) {
		return nil
	}
	o, ok := events.OriginOf(ctx)
	if !ok {
		return earlier
	}
	o.Name, o.ID = name, cmp.Or(o.ID, events.NewID(time.Now()))
	return &o
}

// A keptOrigin is an upload as a record of the cache keeps it. Texts are percent-encoded where they
// are not UTF-8.
type keptOrigin struct {
	events.Origin
	Before []string `json:"before,omitempty"`
}

// maxBefore is how many earlier paths are kept: the first one, and the last ones. maxClient bounds
// what a client may call itself, in bytes.
const (
	maxBefore = 8
	maxClient = 128
)

// pack returns u as Record.Origin.
func (u upload) pack() string {
	k := keptOrigin{Origin: u.Origin}
	k.Client = k.Client[:min(len(k.Client), maxClient)]
	for _, text := range []*string{&k.User, &k.Client, &k.Path, &k.Name} {
		*text = escape(*text)
	}
	before := u.before
	if len(before) > maxBefore {
		before = append(before[:1:1], before[len(before)-maxBefore+1:]...)
	}
	for _, path := range before {
		k.Before = append(k.Before, escape(path))
	}
	text, err := json.Marshal(k)
	if err != nil { // a time of no year
		return ""
	}
	return string(text)
}

// unpack returns the upload of a record, and false if there is none.
func unpack(rec cache.Record) (u upload, ok bool) {
	if rec.Origin == "" {
		return u, false
	}
	var k keptOrigin
	if json.Unmarshal([]byte(rec.Origin), &k) != nil || k.ID == "" {
		return u, false
	}
	for _, text := range []*string{&k.User, &k.Client, &k.Path, &k.Name} {
		*text = unescape(*text)
	}
	for _, path := range k.Before {
		u.before = append(u.before, unescape(path))
	}
	u.Origin = k.Origin
	return u, true
}

// escape makes s valid UTF-8.
func escape(s string) string {
	if utf8.ValidString(s) && !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if s[0] == '%' || r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, "%%%02X", s[0])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

func unescape(s string) string {
	text, err := url.PathUnescape(s)
	if err != nil {
		return s
	}
	return text
}

// renamedOrigin returns Origin of rec, which is about to be renamed.
func renamedOrigin(rec cache.Record) string {
	u, ok := unpack(rec)
	if !ok {
		return rec.Origin
	}
	u.before = append(u.before, u.PathOf(rec.Name))
	return u.pack()
}

// event returns an event about the upload, whose file is called name.
func (t *teller) event(kind events.Kind, u upload, name string) *events.Event {
	now := time.Now()
	return &events.Event{
		Kind: kind, ID: u.ID + "." + strings.TrimPrefix(kind.String(), "upload."), Time: now,
		Session: u.Session, User: u.User, Address: u.Address, TLS: u.TLS, Client: u.Client,
		Path: u.PathOf(name), Before: u.before, Remote: t.remote, Place: t.place, Name: name,
		Duration: since(u.Time, now),
	}
}

// since returns how long then is over, 0 if it is unknown.
func since(then, now time.Time) time.Duration {
	if then.IsZero() {
		return 0
	}
	return max(now.Sub(then), 0)
}

// tellsStored reports whether somebody wants to know that the remote has the file of rec.
func (t *teller) tellsStored(rec cache.Record) bool {
	return rec.Kind == cache.File && rec.Origin != "" && t.stream.Wants(events.UploadStored)
}

// tellStored records that the remote has the file of c, once. c cannot be changed now.
func (v *Tree) tellStored(ctx context.Context, c *change) error {
	v.mu.Lock()
	rec, e, told := c.rec, c.stored, c.told
	v.mu.Unlock()
	if told || !v.tell.tellsStored(rec) {
		return nil
	}
	if err := v.tell.stored(ctx, rec, e); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	c.told = true
	return nil
}

// tellReplaced records that the remote has had the file of c, if a newer one replaced that here
// while it was sent. Otherwise a file that is replaced again and again would have no event.
func (v *Tree) tellReplaced(ctx context.Context, c *change) {
	v.mu.Lock()
	rec, e := c.rec, c.stored
	replaced := c.dead && c.sent && !c.told && c.next != nil && c.next.rec.Kind == cache.File && c.next.rec.Name == rec.Name
	v.mu.Unlock()
	if replaced {
		_ = v.tell.stored(ctx, rec, e) // the newer one will have its own
	}
}

// stored records that the remote has the file of rec, which is e there.
func (t *teller) stored(ctx context.Context, rec cache.Record, e remote.Entry) error {
	u, ok := unpack(rec)
	if !ok || !t.tellsStored(rec) {
		return nil
	}
	told := t.event(events.UploadStored, u, rec.Name)
	told.Size, told.Overwrote = rec.Size, rec.Base == cache.BasePresent
	describe(told, e)
	return t.record(ctx, told)
}

// describe says of e what the remote has.
func describe(told *events.Event, e remote.Entry) {
	told.ModTime, told.Version, told.Digest = e.ModTime, e.Version, e.Digest.Hex()
}

// versionOf tells versions of a file apart, by its time where the remote has no versions; "" = it
// has no times either.
func versionOf(e remote.Entry) string {
	if e.Version != "" || e.ModTime.IsZero() {
		return e.Version
	}
	return "time " + strconv.FormatInt(e.ModTime.Unix(), 10)
}

// refused records that the remote will never have the file of rec.
func (t *teller) refused(ctx context.Context, rec cache.Record, reason error) error {
	u, ok := unpack(rec)
	if !ok || rec.Kind != cache.File || !t.stream.Wants(events.UploadRefused) {
		return nil
	}
	told := t.event(events.UploadRefused, u, rec.Name)
	told.Size, told.Result, told.Cause = rec.Size, events.Failed, causeText(reason)
	return t.record(ctx, told)
}

// conflict records that the file e, which another node had stored under the name of rec, is kept as
// to. It is told once for each version of it.
func (t *teller) conflict(ctx context.Context, rec cache.Record, e remote.Entry, to string) error {
	u, ok := unpack(rec)
	if !ok || rec.Kind != cache.File || !t.stream.Wants(events.UploadConflict) {
		return nil
	}
	told := t.event(events.UploadConflict, u, rec.Name)
	_, kept := remote.Split(to)
	told.ID += kept[strings.LastIndex(kept, ".conflict-")+len(".conflict"):]
	told.To = path.Join(path.Dir(told.Path), kept)
	told.Size = e.Size
	describe(told, e)
	return t.record(ctx, told)
}

// record records told. What called for it is over, even if its context has ended.
func (t *teller) record(ctx context.Context, told *events.Event) error {
	if err := t.stream.Record(context.WithoutCancel(ctx), told); err != nil {
		return fmt.Errorf("what became of an upload could not be recorded: %w", err)
	}
	return nil
}
