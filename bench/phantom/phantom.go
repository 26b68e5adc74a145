// Package phantom is an S3 server whose directories are made up while they are listed, so that one
// of a million objects needs neither a disk nor the time to fill it. It answers what an FTP server
// asks in order to list and read, and takes nothing.
package phantom

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// A Server is the handler of one bucket, which any request is taken to be for.
type Server struct {
	// constant
	files map[string]string
	dirs  map[string]int
	names []string // of files, and of directories with a slash, in order

	requests atomic.Int64
}

// New returns a server of objects that are files on this machine, by key, and of directories that
// hold so many empty objects. Keys are one name each, but those of files may have a directory in
// front that is none of dirs.
func New(files map[string]string, dirs map[string]int) *Server {
	s := &Server{files: files, dirs: dirs}
	for name := range files {
		s.names = append(s.names, name)
	}
	for name := range dirs {
		s.names = append(s.names, name+"/")
	}
	slices.Sort(s.names)
	return s
}

// Requests is how many were answered so far.
func (s *Server) Requests() int { return int(s.requests.Load()) }

// Key is the i-th object of a directory.
func Key(dir string, i int) string { return fmt.Sprintf("%s/file-%07d.dat", dir, i) }

// modified is the time of every object.
var modified = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// etag is that of every object. By its form no hash of the contents, it compares with nothing.
const etag = `"0123456789abcdef0123456789abcdef-2"`

// ServeHTTP answers a request with the path /bucket or /bucket/key.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.requests.Add(1)
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	query := r.URL.Query()
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		refuse(w, http.StatusForbidden, "AccessDenied")
	case key != "":
		s.object(w, r, key)
	case query.Has("location"):
		fmt.Fprint(w, xml.Header, `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>`)
	case r.Method == http.MethodGet && query.Has("prefix"):
		s.list(w, query)
	case r.Method == http.MethodHead:
		w.WriteHeader(http.StatusOK)
	default:
		refuse(w, http.StatusNotImplemented, "NotImplemented")
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "%s<Error><Code>%s</Code><Message>%s</Message></Error>", xml.Header, code, code)
}

// object answers GET and HEAD.
func (s *Server) object(w http.ResponseWriter, r *http.Request, key string) {
	w.Header().Set("ETag", etag)
	w.Header().Set("Content-Type", "application/octet-stream")
	if dir, name, ok := strings.Cut(key, "/"); ok && s.has(dir, name) {
		http.ServeContent(w, r, "", modified, strings.NewReader(""))
		return
	}
	f, err := os.Open(s.files[key])
	switch {
	case errors.Is(err, os.ErrNotExist):
		w.Header().Del("ETag")
		refuse(w, http.StatusNotFound, "NoSuchKey")
		return
	case err != nil:
		refuse(w, http.StatusInternalServerError, "InternalError")
		return
	}
	defer f.Close()
	http.ServeContent(w, r, "", modified, f)
}

// has reports whether a directory has an object of that name.
func (s *Server) has(dir, name string) bool {
	digits := strings.TrimSuffix(strings.TrimPrefix(name, "file-"), ".dat")
	i, err := strconv.Atoi(digits)
	return err == nil && i >= 0 && i < s.dirs[dir] && Key(dir, i) == dir+"/"+name
}

// A page is the answer to one request for a listing.
type page struct {
	text  []byte
	last  string // key or prefix of the last entry
	left  int    // entries that still fit
	more  bool   // there is an entry that did not fit
	count int
}

// list answers ListObjects in both versions, with the delimiter / or none.
func (s *Server) list(w http.ResponseWriter, query url.Values) {
	p := &page{left: 1000}
	if n, err := strconv.Atoi(query.Get("max-keys")); err == nil {
		p.left = min(p.left, n)
	}
	prefix := query.Get("prefix")
	after := cmp.Or(query.Get("continuation-token"), query.Get("start-after"), query.Get("marker"))
	for _, name := range s.names {
		if !p.more {
			s.entry(p, name, prefix, after, query.Get("delimiter") == "/")
		}
	}
	w.Header().Set("Content-Type", "application/xml")
	fmt.Fprintf(w, `%s<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Prefix>%s</Prefix><KeyCount>%d</KeyCount><IsTruncated>%t</IsTruncated>`,
		xml.Header, escape(prefix), p.count, p.more)
	if p.more {
		next := escape(p.last)
		fmt.Fprintf(w, "<NextContinuationToken>%s</NextContinuationToken><NextMarker>%s</NextMarker>", next, next)
	}
	_, _ = w.Write(p.text) // who asked may have gone
	fmt.Fprint(w, "</ListBucketResult>")
}

// entry adds what a file or directory has behind after, and with prefix in front.
func (s *Server) entry(p *page, name, prefix, after string, delimited bool) {
	dir, isDir := strings.CutSuffix(name, "/")
	rest, inside := strings.CutPrefix(name, prefix)
	if cut := strings.IndexByte(rest, '/'); inside && delimited && cut >= 0 {
		p.prefix(prefix+rest[:cut+1], after)
		return
	}
	if !isDir {
		if info, err := os.Stat(s.files[name]); inside && name > after && err == nil {
			p.object(name, info.Size())
		}
		return
	}
	if !inside && !strings.HasPrefix(prefix, name) {
		return
	}
	first := sort.Search(s.dirs[dir], func(i int) bool { key := Key(dir, i); return key >= prefix && key > after })
	for i := first; i < s.dirs[dir] && !p.more; i++ {
		key := Key(dir, i)
		if !strings.HasPrefix(key, prefix) {
			return
		}
		p.object(key, 0)
	}
}

// room reports whether an entry of that name fits, and takes note of it.
func (p *page) room(name string) bool {
	if p.left == 0 {
		p.more = true
		return false
	}
	p.left, p.last, p.count = p.left-1, name, p.count+1
	return true
}

func (p *page) object(key string, size int64) {
	if !p.room(key) {
		return
	}
	p.text = append(p.text, "<Contents><Key>"...)
	p.text = append(p.text, escape(key)...)
	p.text = append(p.text, "</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&#34;0123456789abcdef0123456789abcdef-2&#34;</ETag><Size>"...)
	p.text = strconv.AppendInt(p.text, size, 10)
	p.text = append(p.text, "</Size><StorageClass>STANDARD</StorageClass></Contents>"...)
}

// prefix adds a common prefix once: what it stands for is behind it in order.
func (p *page) prefix(name, after string) {
	if name <= after || strings.HasPrefix(after, name) || name == p.last || !p.room(name) {
		return
	}
	p.text = append(p.text, "<CommonPrefixes><Prefix>"+escape(name)+"</Prefix></CommonPrefixes>"...)
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
