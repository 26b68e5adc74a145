package ftp_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"net"
	"testing/fstest"

	"ferry/ftp"
)

// readOnly serves an fs.FS. What would change it is refused.
type readOnly struct{ fs.FS }

func (r readOnly) Stat(_ context.Context, name string) (fs.FileInfo, error) {
	return fs.Stat(r.FS, name)
}

func (r readOnly) List(_ context.Context, dir string) iter.Seq2[fs.FileInfo, error] {
	return func(yield func(fs.FileInfo, error) bool) {
		entries, err := fs.ReadDir(r.FS, dir)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, e := range entries {
			if info, err := e.Info(); !yield(info, err) {
				return
			}
		}
	}
}

func (r readOnly) Open(_ context.Context, name string, off int64) (io.ReadCloser, error) {
	f, err := r.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, f, off); err != nil && err != io.EOF {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (readOnly) Create(_ context.Context, name string, _ int64) (ftp.Upload, error) {
	return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrPermission}
}

func (readOnly) Remove(context.Context, string) error         { return fs.ErrPermission }
func (readOnly) Rename(context.Context, string, string) error { return fs.ErrPermission }
func (readOnly) Mkdir(context.Context, string) error          { return fs.ErrPermission }
func (readOnly) Rmdir(context.Context, string) error          { return fs.ErrPermission }
func (readOnly) Close() error                                 { return nil }

// anybody lets everybody in.
type anybody struct{ tree fs.FS }

func (a anybody) Login(context.Context, ftp.Client, string, string) (ftp.FS, error) {
	return readOnly{a.tree}, nil
}

func Example() {
	tree := fstest.MapFS{"hello.txt": &fstest.MapFile{Data: []byte("Hello."), Mode: 0o644}}
	srv := &ftp.Server{Backend: anybody{tree}, Log: slog.New(slog.DiscardHandler)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	done := make(chan error)
	go func() { done <- srv.Serve(context.Background(), l) }()

	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	in := bufio.NewReader(conn)
	for _, command := range []string{"USER me", "PASS x", "SIZE hello.txt", "QUIT"} {
		line, _, _ := in.ReadLine()
		fmt.Println(string(line))
		fmt.Fprintf(conn, "%s\r\n", command)
	}
	line, _, _ := in.ReadLine()
	fmt.Println(string(line))

	srv.Close()
	fmt.Println(errors.Is(<-done, ftp.ErrServerClosed))
	// Output:
	// 220 Ready.
	// 331 Password, please.
	// 230 Logged in.
	// 213 6
	// 221 Goodbye.
	// true
}
