package vfs_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/vfs"
)

// putter is a remote without staging whose Put is put.
type putter struct {
	remote.Remote
	put func(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error)
}

func (p putter) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	return p.put(ctx, name, body, o)
}

// Every test here runs in a bubble that fails when a goroutine is left behind.
func streamTest(t *testing.T, put func(*memory.Remote) putter, test func(t *testing.T, v *vfs.View)) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		upload(t, vfs.New(m, vfs.Options{}).View("bob"), "f", "old", 0)
		v := vfs.New(put(m), vfs.Options{}).View("bob")
		test(t, v)
		if got := content(t, v, "f"); got != "old" {
			t.Errorf("the old content is gone: %q", got)
		}
	})
}

var errRemote = errors.New("the remote broke")

func TestWhatPutRefusesIsRefusedAtCreate(t *testing.T) {
	streamTest(t, func(m *memory.Remote) putter {
		return putter{m, func(context.Context, string, io.Reader, remote.PutOptions) (remote.Entry, error) {
			return remote.Entry{}, remote.ErrBadName
		}}
	}, func(t *testing.T, v *vfs.View) {
		_, err := v.Create(t.Context(), "f", 0)
		wantErr(t, err, remote.ErrBadName, "")
	})
}

func TestAPutThatDoesNotReadItsBodyIsNotBelieved(t *testing.T) {
	streamTest(t, func(m *memory.Remote) putter {
		return putter{m, func(context.Context, string, io.Reader, remote.PutOptions) (remote.Entry, error) {
			return remote.Entry{}, nil
		}}
	}, func(t *testing.T, v *vfs.View) {
		_, err := v.Create(t.Context(), "f", 0)
		wantErr(t, err, io.ErrUnexpectedEOF, "")
	})
}

func TestAPutThatFailsUnderWayFailsTheUpload(t *testing.T) {
	streamTest(t, func(m *memory.Remote) putter {
		return putter{m, func(_ context.Context, _ string, body io.Reader, _ remote.PutOptions) (remote.Entry, error) {
			_, err := io.CopyN(io.Discard, body, 4)
			return remote.Entry{}, errors.Join(err, errRemote)
		}}
	}, func(t *testing.T, v *vfs.View) {
		u, err := v.Create(t.Context(), "f", 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = u.Write(bytes.Repeat([]byte("x"), 100))
		wantErr(t, err, errRemote, "")
		wantErr(t, u.Commit(t.Context()), errRemote, "")
		u.Abort()
	})
}

func TestAPutThatFailsAtTheEndFailsTheCommit(t *testing.T) {
	streamTest(t, func(m *memory.Remote) putter {
		return putter{m, func(_ context.Context, _ string, body io.Reader, _ remote.PutOptions) (remote.Entry, error) {
			_, err := io.Copy(io.Discard, body)
			return remote.Entry{}, errors.Join(err, errRemote)
		}}
	}, func(t *testing.T, v *vfs.View) {
		u, err := v.Create(t.Context(), "f", 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(u, "new"); err != nil {
			t.Fatal(err)
		}
		wantErr(t, u.Commit(t.Context()), errRemote, "")
		u.Abort()
	})
}

func TestEndingTheContextOfCreateEndsAWriteThatWaits(t *testing.T) {
	streamTest(t, func(m *memory.Remote) putter {
		return putter{m, func(ctx context.Context, _ string, body io.Reader, _ remote.PutOptions) (remote.Entry, error) {
			_, err := io.ReadFull(body, make([]byte, 1))
			<-ctx.Done()
			return remote.Entry{}, errors.Join(err, context.Cause(ctx))
		}}
	}, func(t *testing.T, v *vfs.View) {
		errAbor := errors.New("ABOR")
		ctx, cancel := context.WithCancelCause(t.Context())
		u, err := v.Create(ctx, "f", 0)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			synctest.Wait() // until the Write below waits for the remote
			cancel(errAbor)
		}()
		_, err = io.WriteString(u, "more than the remote takes")
		wantErr(t, err, errAbor, "")
		wantErr(t, u.Commit(t.Context()), errAbor, "")
		u.Abort()
	})
}

func TestEndingTheContextOfCommitEndsAPutThatIsSlow(t *testing.T) {
	streamTest(t, func(m *memory.Remote) putter {
		return putter{m, func(ctx context.Context, _ string, body io.Reader, _ remote.PutOptions) (remote.Entry, error) {
			_, err := io.Copy(io.Discard, body)
			<-ctx.Done()
			return remote.Entry{}, errors.Join(err, context.Cause(ctx))
		}}
	}, func(t *testing.T, v *vfs.View) {
		errLeft := errors.New("the client left")
		transfer, endTransfer := context.WithCancel(t.Context())
		u, err := v.Create(transfer, "f", 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(u, "new"); err != nil {
			t.Fatal(err)
		}
		session, leave := context.WithCancelCause(t.Context())
		go func() {
			synctest.Wait() // until Commit waits for the Put
			endTransfer()   // Create's context no longer counts
			synctest.Wait()
			leave(errLeft)
		}()
		wantErr(t, u.Commit(session), errLeft, "")
	})
}

func TestAnEndedContextIsNoticedWhileTheRemoteHesitates(t *testing.T) {
	streamTest(t, func(m *memory.Remote) putter {
		return putter{m, func(ctx context.Context, _ string, _ io.Reader, _ remote.PutOptions) (remote.Entry, error) {
			<-ctx.Done()
			return remote.Entry{}, context.Cause(ctx)
		}}
	}, func(t *testing.T, v *vfs.View) {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			synctest.Wait()
			cancel()
		}()
		_, err := v.Create(ctx, "f", 0)
		wantErr(t, err, context.Canceled, "")
	})
}

func TestAPanicInPutFailsTheUpload(t *testing.T) {
	streamTest(t, func(m *memory.Remote) putter {
		return putter{m, func(_ context.Context, _ string, body io.Reader, _ remote.PutOptions) (remote.Entry, error) {
			body.Read(make([]byte, 3))
			panic("a bug in a driver")
		}}
	}, func(t *testing.T, v *vfs.View) {
		u, err := v.Create(t.Context(), "f", 0)
		if err != nil {
			t.Fatal(err)
		}
		_, werr := io.WriteString(u, "new content")
		for _, err := range []error{werr, u.Commit(t.Context())} {
			if err == nil || !strings.Contains(err.Error(), "a bug in a driver") {
				t.Errorf("the error is %v", err)
			}
		}
		u.Abort()
	})
}
