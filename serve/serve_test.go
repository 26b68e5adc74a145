package serve

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/netip"
	"testing"

	"ferry/auth"
	"ferry/ftp"
	"ferry/remote/driver/memory"
	"ferry/vfs"
)

func login(t *testing.T, b *Backend, ip, user, password string) ftp.FS {
	t.Helper()
	c := ftp.Client{Remote: netip.AddrPortFrom(netip.MustParseAddr(ip), 1024)}
	tree, err := b.Login(t.Context(), c, user, password)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func cut(t *testing.T, tree ftp.FS, name string) {
	t.Helper()
	u, err := tree.Create(t.Context(), name, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(u, "half"); err != nil {
		t.Fatal(err)
	}
	u.Abort()
}

func sees(tree ftp.FS, name string) bool {
	_, err := tree.Stat(context.Background(), name)
	return err == nil
}

func TestLogin(t *testing.T) {
	b := &Backend{Auth: auth.NewSingle("bob", "sesame"), Tree: vfs.New(memory.New(), vfs.Options{})}
	tree, err := b.Login(t.Context(), ftp.Client{}, "bob", "open")
	if !errors.Is(err, ftp.ErrDenied) || tree != nil {
		t.Errorf("a wrong password gives %v, %v", tree, err)
	}
	for _, address := range []struct{ sender, again, other string }{
		{"192.0.2.1", "192.0.2.1", "192.0.2.2"},
		{"2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"}, // one network of 64 bits is one address
	} {
		cut(t, login(t, b, address.sender, "bob", "sesame"), address.sender)
		if !sees(login(t, b, address.again, "bob", "sesame"), address.sender) {
			t.Errorf("the user does not find what was sent from %s again from %s", address.sender, address.again)
		}
		if sees(login(t, b, address.other, "bob", "sesame"), address.sender) {
			t.Errorf("at %s the user is shown what was sent from %s", address.other, address.sender)
		}
	}
}

type broken struct{}

func (broken) Authenticate(context.Context, auth.Login) (auth.Identity, error) {
	return auth.Identity{}, io.ErrUnexpectedEOF
}

func TestALoginThatCannotBeCheckedIsNotDenied(t *testing.T) {
	b := &Backend{Auth: broken{}, Tree: vfs.New(memory.New(), vfs.Options{})}
	_, err := b.Login(t.Context(), ftp.Client{}, "bob", "")
	if errors.Is(err, ftp.ErrDenied) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

func TestStrangersDoNotSeeEachOthersUnfinishedUploads(t *testing.T) {
	b := &Backend{Auth: auth.NewSingle("anonymous", ""), Tree: vfs.New(memory.New(), vfs.Options{})}
	one, other := login(t, b, "192.0.2.1", "anonymous", "a"), login(t, b, "192.0.2.2", "anonymous", "b")
	cut(t, one, "f")
	if !sees(one, "f") || sees(other, "f") {
		t.Error("an unfinished upload must be seen by its sender alone")
	}
}

func TestARefusedCreateIsNoUpload(t *testing.T) {
	b := &Backend{Auth: auth.NewSingle("bob", ""), Tree: vfs.New(memory.New(), vfs.Options{ReadOnly: true})}
	u, err := login(t, b, "::1", "bob", "").Create(t.Context(), "f", 0)
	if u != nil || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v, %v", u, err)
	}
}

func TestPermittedReachesTheEngine(t *testing.T) {
	b := &Backend{Auth: auth.NewSingle("bob", ""), Tree: vfs.New(memory.New(), vfs.Options{})}
	tree := login(t, b, "::1", "bob", "")
	info, err := tree.Stat(t.Context(), ".")
	if err != nil {
		t.Fatal(err)
	}
	want := ftp.PermRead | ftp.PermEnter | ftp.PermCreate | ftp.PermMkdir | ftp.PermPurge
	if got := tree.(ftp.Permitter).Permitted(".", info); got != want {
		t.Errorf("got %06b, want %06b", got, want)
	}
}
