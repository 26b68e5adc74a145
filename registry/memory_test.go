package registry_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/budget"
	"ferry/config"
	"ferry/registry"
	"ferry/remote"
	"ferry/remote/network"
)

const fileSize = 21<<20 + 1

// takesAll answers the requests of uploads as services of each type do, and keeps nothing.
func takesAll(w http.ResponseWriter, q *http.Request) {
	n, _ := io.Copy(io.Discard, q.Body)
	time.Sleep(time.Millisecond)
	query := q.URL.Query()
	w.Header().Set("ETag", `"d41d8cd98f00b204e9800998ecf8427e"`)
	switch {
	case query.Has("uploads"): // s3
		_, _ = io.WriteString(w, "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>")
	case q.Method == http.MethodPost && query.Has("uploadId"):
		_, _ = io.WriteString(w, "<CompleteMultipartUploadResult><Bucket>b</Bucket><ETag>1</ETag></CompleteMultipartUploadResult>")
	case query.Get("list-type") != "":
		_, _ = io.WriteString(w, "<ListBucketResult></ListBucketResult>")
	case strings.HasPrefix(query.Get("comp"), "block"): // azureblob
		w.WriteHeader(http.StatusCreated)
	case query.Get("comp") == "list":
		_, _ = io.WriteString(w, "<EnumerationResults ServiceEndpoint=\"http://h/\" ContainerName=\"bucket\"><Blobs></Blobs></EnumerationResults>")
	case query.Get("uploadType") == "resumable" && q.Method == http.MethodPost: // gcs
		w.Header().Set("Location", "http://"+q.Host+"/session")
	case q.URL.Path == "/session":
		span := q.Header.Get("Content-Range")
		if from, total, _ := strings.Cut(strings.TrimPrefix(span, "bytes "), "/"); total == "*" {
			w.Header().Set("Range", "bytes=0-"+from[strings.Index(from, "-")+1:])
			w.WriteHeader(http.StatusPermanentRedirect)
			return
		}
		_, _ = fmt.Fprintf(w, `{"name":"f","size":"%d"}`, n)
	case strings.HasPrefix(q.URL.Path, "/storage"):
		_, _ = io.WriteString(w, "{}")
	case q.Method == "PROPFIND": // webdav
		facts := "<d:resourcetype><d:collection/></d:resourcetype>"
		if !strings.HasSuffix(q.URL.Path, "/u/") {
			facts = fmt.Sprintf("<d:resourcetype/><d:getcontentlength>%d</d:getcontentlength>", fileSize)
		}
		w.WriteHeader(http.StatusMultiStatus)
		_, _ = fmt.Fprintf(w, `<d:multistatus xmlns:d="DAV:"><d:response><d:href>%s</d:href><d:propstat><d:prop>%s</d:prop>`+
			`<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>`, q.URL.Path, facts)
	case query.Has("partNumber"):
	case q.Method == "MKCOL", q.Method == "MOVE", q.Method == http.MethodPut:
		w.WriteHeader(http.StatusCreated)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// What uploads hold in memory is reserved, whatever the type of the remote: more of them than there
// is memory for take turns, and all end.
func TestUploadsShareMemory(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(takesAll))
	defer web.Close()
	const total, mib = 24 << 20, 1 << 20
	for name, remoteString := range map[string]string{
		"s3":        `:s3,provider=Other,access_key_id=a,secret_access_key=b,endpoint="URL":bucket`,
		"gcs":       `:gcs,anonymous=true,endpoint="URL":bucket`,
		"azureblob": `:azureblob,account=a,key=Z2VoZWlt,endpoint="URL/a":bucket`,
		"webdav":    `:webdav,vendor=nextcloud,user=u,url="URL/remote.php/dav/files/u":`,
	} {
		t.Run(name, func(t *testing.T) {
			memory := budget.New(total)
			r := openWith(t, strings.Replace(remoteString, "URL", web.URL, 1), registry.Environment{Network: network.Options{Memory: memory}})
			held := peak(memory, func() {
				var all sync.WaitGroup
				for i := range 16 {
					all.Go(func() {
						body := io.LimitReader(zeros{}, fileSize)
						if _, err := r.Put(t.Context(), fmt.Sprintf("f%d", i), body, remote.PutOptions{}); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
			})
			t.Logf("%d MiB", held/mib)
			if held < total/2 || held > total+16*mib {
				t.Errorf("uploads held %d MiB of %d", held/mib, total/mib)
			}
			if left := memory.Held(); left != 0 {
				t.Errorf("%d bytes are still held", left)
			}
		})
	}
}

// peak returns the most that is held while work runs.
func peak(memory *budget.Budget, work func()) (most int64) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		work()
	}()
	for tick := time.NewTicker(100 * time.Microsecond); ; {
		most = max(most, memory.Held())
		select {
		case <-tick.C:
		case <-ended:
			tick.Stop()
			return most
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func openWith(t *testing.T, s string, env registry.Environment) remote.Remote {
	t.Helper()
	resolve := func(s string) (config.Settings, error) {
		spec, err := config.ParseRemote(s)
		if err != nil {
			return config.Settings{}, err
		}
		return config.Sources{Types: registry.Types()}.Resolve(spec)
	}
	settings, err := resolve(s)
	if err != nil {
		t.Fatal(err)
	}
	r, err := registry.Open(context.Background(), settings, env, resolve)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}
