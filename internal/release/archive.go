package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"strings"
	"time"
)

// A file is one of an archive.
type file struct {
	name string // in it
	from string
	mode os.FileMode
}

// archive writes files to path: a zip or a tar.gz by its name. It is the same for the same files:
// their owners and times are left out, but for when.
func archive(path string, when time.Time, files []file) (err error) {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := out.Close(); err == nil {
			err = closeErr
		}
	}()
	if strings.HasSuffix(path, ".zip") {
		return zipFiles(out, when, files)
	}
	return tarFiles(out, when, files)
}

func tarFiles(out io.Writer, when time.Time, files []file) error {
	z, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	w := tar.NewWriter(z)
	for _, f := range files {
		fi, err := os.Stat(f.from)
		if err != nil {
			return err
		}
		h := &tar.Header{Name: f.name, Size: fi.Size(), Mode: int64(f.mode), ModTime: when, Format: tar.FormatPAX}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		if err := copyFile(w, f.from); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return z.Close()
}

func zipFiles(out io.Writer, when time.Time, files []file) error {
	w := zip.NewWriter(out)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: when}
		h.SetMode(f.mode)
		to, err := w.CreateHeader(h)
		if err != nil {
			return err
		}
		if err := copyFile(to, f.from); err != nil {
			return err
		}
	}
	return w.Close()
}

func copyFile(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// compress writes from to the file to, compressed; the same bytes for the same content.
func compress(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	z.Write(content) // a bytes.Buffer takes everything
	if err := z.Close(); err != nil {
		return err
	}
	return write(to, b.Bytes())
}
