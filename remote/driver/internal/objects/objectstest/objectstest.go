// Package objectstest fills and reads object stores for tests, past the trees that lie in them.
package objectstest

import (
	"io"
	"slices"
	"testing"
	"time"

	"ferry/remote/driver/internal/objects"
)

// Fill stores objects in a bucket, contents by key.
func Fill(t *testing.T, s objects.Store, bucket string, contents map[string]string) {
	t.Helper()
	for key, content := range contents {
		d, err := s.Create(t.Context(), objects.Key{Bucket: bucket, Name: key}, objects.CreateOptions{Size: int64(len(content))})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(d, content); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Commit(t.Context(), time.Time{}); err != nil {
			t.Fatal(err)
		}
		d.Abort()
	}
}

// Keys returns the keys of all objects in a bucket, sorted.
func Keys(t *testing.T, s objects.Store, bucket string) []string {
	t.Helper()
	var keys []string
	for o, err := range s.All(t.Context(), objects.Key{Bucket: bucket}) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Name)
	}
	slices.Sort(keys)
	return keys
}
