package s3

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// mtimeKey is the key in an object's metadata; mtimeHeader is how it comes back.
const (
	mtimeKey    = "mtime"
	mtimeHeader = "Mtime"
	// nativeKey is where programs keep it that use the interface of Backblaze B2, in milliseconds.
	nativeKey    = "src_last_modified_millis"
	nativeHeader = "Src_last_modified_millis"
)

// formatTime writes t as seconds since 1970, with as many decimals as it takes.
func formatTime(t time.Time) string {
	sec, nsec := t.Unix(), t.Nanosecond()
	sign := ""
	if sec < 0 && nsec > 0 { // -1.25 is two seconds before 1970 and three quarters of one after that
		sec, nsec = sec+1, 1e9-nsec
	}
	if sec <= 0 && t.Unix() < 0 {
		sign, sec = "-", -sec
	}
	s := sign + strconv.FormatInt(sec, 10)
	if nsec != 0 {
		s += "." + strings.TrimRight(strconv.Itoa(1e9 + nsec)[1:], "0")
	}
	return s
}

// parseTime reads what formatTime writes.
func parseTime(s string) (time.Time, bool) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	sec, err := strconv.ParseUint(whole, 10, 40)
	if err != nil {
		return time.Time{}, false
	}
	fraction = (fraction + "000000000")[:9]
	nsec, err := strconv.ParseUint(fraction, 10, 32)
	if err != nil {
		return time.Time{}, false
	}
	if negative {
		return time.Unix(-int64(sec), -int64(nsec)), true
	}
	return time.Unix(int64(sec), int64(nsec)), true
}

// modTime returns the time that was set for an object, or else that of its upload. A HEAD tells the
// latter in seconds, and a listing must not say otherwise.
func modTime(o minio.ObjectInfo) (t time.Time, set bool) {
	value := o.UserMetadata[mtimeHeader]
	if value == "" {
		value = o.UserMetadataStripped[mtimeHeader]
	}
	if t, ok := parseTime(value); ok {
		return t, true
	}
	if n, err := strconv.ParseInt(o.UserMetadata[nativeHeader], 10, 64); err == nil {
		return time.UnixMilli(n), true
	}
	return uploadTime(o), false
}

// uploadTime returns the time of an object's upload.
func uploadTime(o minio.ObjectInfo) time.Time { return o.LastModified.Truncate(time.Second) }

// A setTime is a modification time that somebody set.
type setTime struct {
	modTime time.Time
	known   time.Time // when it was known; a later upload makes it void
}

// clockSkew is how far the clocks here and there may be apart.
const clockSkew = time.Minute

// rememberTime keeps the modification time that was set for the object at p that has this ETag, for
// listings. The zero time means that none was set.
func (r *Remote) rememberTime(p place, etag string, t time.Time) {
	id := timeID(p, strings.Trim(etag, `"`))
	if t.IsZero() {
		r.times.drop(id)
		return
	}
	r.times.set(id, setTime{modTime: t, known: time.Now()})
}

// listedTime returns the modification time of an object as listed.
func (r *Remote) listedTime(p place, o minio.ObjectInfo) time.Time {
	if r.opt.ServerModTime {
		return uploadTime(o)
	}
	t, set := modTime(o)
	if set {
		return t
	}
	if s, ok := r.times.get(timeID(p, o.ETag)); ok && o.LastModified.Before(s.known.Add(clockSkew)) {
		return s.modTime
	}
	return t
}

func timeID(p place, etag string) uint64 {
	h := fnv.New64a()
	for _, s := range []string{p.Bucket, "/", p.Name, "\x00", etag} {
		h.Write([]byte(s))
	}
	return h.Sum64()
}

// holdsTime reports whether the metadata can hold a time.
func holdsTime(t time.Time) bool {
	kept, ok := parseTime(formatTime(t))
	return ok && kept.Equal(t)
}
