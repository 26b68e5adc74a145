package local

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ferry/remote"
)

func BenchmarkList100k(b *testing.B) {
	dir := b.TempDir()
	for i := range 100_000 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("file-%06d.dat", i)), nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	eachTree(b, dir, func(b *testing.B, r *Remote) {
		for b.Loop() {
			n := 0
			for _, err := range r.List(b.Context(), ".") {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != 100_000 {
				b.Fatal(n)
			}
		}
	})
}

func BenchmarkList10(b *testing.B) {
	dir := b.TempDir()
	for i := range 10 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("file-%06d.dat", i)), nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	eachTree(b, dir, func(b *testing.B, r *Remote) {
		for b.Loop() {
			for _, err := range r.List(b.Context(), ".") {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkStagePublish stores new files of 4 KiB and deletes them.
func BenchmarkStagePublish(b *testing.B) {
	content := make([]byte, 4096)
	for _, in := range []string{".", "a/b"} {
		dir := b.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "a", "b"), 0o700); err != nil {
			b.Fatal(err)
		}
		b.Run("in "+in, func(b *testing.B) {
			eachTree(b, dir, func(b *testing.B, r *Remote) {
				i := 0
				for b.Loop() {
					i++
					name := remote.Join(in, fmt.Sprintf("f%d", i))
					s, err := r.Stage(b.Context(), name, remote.StageOptions{Owner: "owner"})
					if err != nil {
						b.Fatal(err)
					}
					if _, err := s.Write(content); err != nil {
						b.Fatal(err)
					}
					if _, err := s.Commit(b.Context(), time.Time{}); err != nil {
						b.Fatal(err)
					}
					if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a", "b"), 0o700); err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"f", "a/b/f"} {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), nil, 0o600); err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			eachTree(b, dir, func(b *testing.B, r *Remote) {
				for b.Loop() {
					f, err := r.Open(b.Context(), name, 0, -1)
					if err != nil {
						b.Fatal(err)
					}
					f.Close()
				}
			})
		})
	}
}

func BenchmarkStat(b *testing.B) {
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), nil, 0o600); err != nil {
		b.Fatal(err)
	}
	eachTree(b, dir, func(b *testing.B, r *Remote) {
		for b.Loop() {
			if _, err := r.Stat(b.Context(), "f"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// eachTree runs work on the tree that the system has and on the one that every system has.
func eachTree(b *testing.B, dir string, work func(b *testing.B, r *Remote)) {
	for name, tree := range map[string]openFunc{"system": openTree, "root": openRootTree} {
		b.Run(name, func(b *testing.B) {
			r, err := newRemote(dir, Options{}, tree)
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			b.ReportAllocs()
			b.ResetTimer()
			work(b, r)
		})
	}
}
