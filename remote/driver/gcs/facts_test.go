package gcs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"slices"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/gcs"
	"ferry/remote/remotetest/servers/gcsserver"
)

// described is what an object says of itself besides its content.
type described struct {
	Name               string            `json:"name,omitempty"`
	ContentType        string            `json:"contentType"`
	CacheControl       string            `json:"cacheControl"`
	ContentLanguage    string            `json:"contentLanguage"`
	ContentDisposition string            `json:"contentDisposition"`
	StorageClass       string            `json:"storageClass"`
	Metadata           map[string]string `json:"metadata"`
}

func someDescription() described {
	return described{ContentType: "text/x-ferry", CacheControl: "max-age=60", ContentLanguage: "fi", ContentDisposition: "inline",
		StorageClass: "NEARLINE", Metadata: map[string]string{"colour": "blue"}}
}

// putDescribed stores an object as another program might.
func putDescribed(t *testing.T, service *gcsserver.Server, bucket, name string, content []byte) {
	t.Helper()
	facts := someDescription()
	facts.Name = name
	head, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	p, _ := w.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/json"}})
	_, _ = p.Write(head)
	p, _ = w.CreatePart(textproto.MIMEHeader{"Content-Type": {facts.ContentType}})
	_, _ = p.Write(content)
	_ = w.Close()
	answer, err := http.Post("http://"+service.Addr+"/upload/storage/v1/b/"+bucket+"/o?uploadType=multipart",
		"multipart/related; boundary="+w.Boundary(), &body)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		t.Fatalf("%s %s", answer.Status, text)
	}
}

// description asks what an object says of itself.
func description(t *testing.T, service *gcsserver.Server, bucket, name string) described {
	t.Helper()
	answer, err := http.Get("http://" + service.Addr + "/storage/v1/b/" + bucket + "/o/" + url.PathEscape(name))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var d described
	if err := json.NewDecoder(answer.Body).Decode(&d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestWhatAnObjectSaysOfItselfIsKept(t *testing.T) {
	service := gcsserver.Start(t)
	bucket := service.NewBucket(t)
	r := openBucket(t, service, bucket)
	defer r.Close()
	when := time.Unix(2e9, 5)
	for _, size := range []int{100, 300 << 10, 3 << 20} {
		for what, do := range map[string]func(name string) (string, error){
			"APPE": func(name string) (string, error) {
				appended(t, r, name, remote.AtEnd, []byte("more"))
				return name, nil
			},
			"APPE of much":    func(name string) (string, error) { appended(t, r, name, remote.AtEnd, blob(2<<20)); return name, nil },
			"REST and STOR":   func(name string) (string, error) { appended(t, r, name, 5, []byte("more")); return name, nil },
			"REST 0":          func(name string) (string, error) { appended(t, r, name, 0, []byte("more")); return name, nil },
			"Put as the same": func(name string) (string, error) { return name, putLike(r, name, blob(size)) },
			"Put as another":  func(name string) (string, error) { return "to.html", putLike(r, "to.html", blob(size)) },
			"a rename":        func(name string) (string, error) { return "to.html", r.Move(t.Context(), name, "to.html") },
			"MFMT":            func(name string) (string, error) { return name, r.SetModTime(t.Context(), name, when) },
		} {
			t.Run(fmt.Sprint(what, " ", size), func(t *testing.T) {
				putDescribed(t, service, bucket, "f.html", blob(size))
				name, err := do("f.html")
				if err != nil {
					t.Fatal(err)
				}
				got, want := description(t, service, bucket, name), someDescription()
				if got.ContentType != want.ContentType || got.CacheControl != want.CacheControl || got.ContentLanguage != want.ContentLanguage ||
					got.ContentDisposition != want.ContentDisposition || got.Metadata["colour"] != want.Metadata["colour"] {
					t.Errorf("%+v", got)
				}
			})
		}
	}
}

// putLike stores a file that takes over the facts of f.html.
func putLike(r *gcs.Remote, name string, content []byte) error {
	_, err := r.Put(context.Background(), name, bytes.NewReader(content), remote.PutOptions{FactsOf: "f.html", ModTime: time.Unix(2e9, 0)})
	return err
}

// What the requests ask for, as the fake keeps no storage class.
func TestTheStorageClassIsKept(t *testing.T) {
	for option, want := range map[string]string{"": "NEARLINE", "COLDLINE": "COLDLINE"} {
		for _, size := range []int{100, 300 << 10} {
			var asked []string
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				switch body, _ := io.ReadAll(q.Body); {
				case q.URL.Query().Get("alt") == "media":
					w.WriteHeader(http.StatusPartialContent)
					_, _ = w.Write(blob(size))
				case q.URL.Query().Has("prefix"):
					_, _ = io.WriteString(w, `{}`)
				default:
					_, class, _ := bytes.Cut(body, []byte(`"storageClass":"`))
					class, _, _ = bytes.Cut(class, []byte(`"`))
					if q.Method == http.MethodPost {
						asked = append(asked, string(class))
					}
					_, _ = fmt.Fprintf(w, `{"name":"f","size":"%d","generation":"7","storageClass":"NEARLINE","done":true}`, size)
				}
			}))
			r := open(t, "b", gcs.Options{Anonymous: true, Endpoint: web.URL, StorageClass: option})
			appended(t, r, "f", remote.AtEnd, []byte("more"))
			for _, name := range []string{"f", "g"} {
				if _, err := r.Put(t.Context(), name, bytes.NewReader(blob(size)), remote.PutOptions{FactsOf: "f"}); err != nil {
					t.Error(err)
				}
			}
			if option != "" {
				if err := r.Copy(t.Context(), "f", "g"); err != nil {
					t.Error(err)
				}
			}
			if len(asked) == 0 || slices.ContainsFunc(asked, func(class string) bool { return class != want }) {
				t.Errorf("with the option %q, %d bytes: %q", option, size, asked)
			}
			_ = r.Close()
			web.Close()
		}
	}
}
