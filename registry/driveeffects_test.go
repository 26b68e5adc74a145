package registry

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers/driveserver"
)

const docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

// startDrive starts a double with something of each kind.
func startDrive(t *testing.T) (s *driveserver.Server, file string) {
	t.Helper()
	s = driveserver.Start(t)
	s.AddFile(s.Root, "f", "x")
	s.AddDocument(s.Root, "doc", "document", map[string]string{docx: "x", "application/pdf": "x"})
	s.Share(s.AddFolder(s.Root, "theirs"))
	s.Trash(s.AddFile(s.Root, "gone", "x"))
	return s, fmt.Sprintf("[r]\ntype = drive\nendpoint = http://%s\ntoken = {\"access_token\":%q}\n", s.Addr, driveserver.Token)
}

func TestOptionsOfDriveHaveAnEffect(t *testing.T) {
	t.Parallel()
	lists := func(t *testing.T, _ *driveserver.Server, r remote.Remote) string { return remotetest.Names(t, r, ".") }
	haveEffect(t, startDrive, []effect[*driveserver.Server]{
		{"shared_with_me", "doc.docx f", "theirs", lists},
		{"trashed_only", "doc.docx f", "gone", lists},
		{"skip_gdocs", "doc.docx f", "f", lists},
		{"export_formats=pdf", "doc.docx f", "doc.pdf f", lists},
		{"skip_shortcuts", "doc.docx f to f", "doc.docx f", func(t *testing.T, s *driveserver.Server, r remote.Remote) string {
			s.AddShortcut(s.Root, "to f", s.ID(s.Root, "f"))
			return remotetest.Names(t, r, ".")
		}},
		{"use_trash=false", "trashed", "deleted", func(t *testing.T, s *driveserver.Server, r remote.Remote) string {
			if err := r.Remove(t.Context(), "f"); err != nil {
				t.Error(err)
			}
			for _, request := range s.Requests() {
				if strings.HasPrefix(request, "DELETE ") {
					return "deleted"
				}
			}
			return "trashed"
		}},
		{"acknowledge_abuse", "the option acknowledge_abuse", "virus", func(t *testing.T, s *driveserver.Server, r remote.Remote) string {
			s.Endanger(s.AddFile(s.Root, "bad", "virus"))
			got := content(t, r, "bad")
			if strings.Contains(got, "the option acknowledge_abuse") {
				return "the option acknowledge_abuse"
			}
			return got
		}},
		{"keep_revision_forever", "0 of f, 0 of copy", "2 of f, 1 of copy", func(t *testing.T, s *driveserver.Server, r remote.Remote) string {
			put(t, r, "f", "small")
			put(t, r, "f", strings.Repeat("x", 6<<20)) // in chunks
			if err := remote.Copy(t.Context(), r, "f", "copy"); err != nil {
				t.Error(err)
			}
			return fmt.Sprintf("%d of f, %d of copy", len(s.Kept(s.ID(s.Root, "f"))), len(s.Kept(s.ID(s.Root, "copy"))))
		}},
	})
}

// The double hides a shared drive from requests that do not say that they know of such.
func TestSharedDrives(t *testing.T) {
	t.Parallel()
	s, file := startDrive(t)
	ours := s.AddSharedDrive()
	s.AddFile(ours, "ours", "x")
	r, err := openFrom(t, file, "r,team_drive="+ours+":")
	if err != nil {
		t.Fatal(err)
	}
	put(t, r, "ours", "y")
	put(t, r, "long", strings.Repeat("x", 6<<20))
	err = errors.Join(r.Mkdir(t.Context(), "d"), remote.Copy(t.Context(), r, "ours", "d/copy"), remote.Move(t.Context(), r, "ours", "moved"), r.Remove(t.Context(), "long"))
	if got := remotetest.Names(t, r, ".") + " " + content(t, r, "moved") + " " + content(t, r, "d/copy"); err != nil || got != "d moved y y" || s.Contents(ours) != "d/ moved=y" {
		t.Errorf("%q, %v; there is %s", got, err, s.Contents(ours))
	}
	if err := errors.Join(r.Remove(t.Context(), "d/copy"), r.Rmdir(t.Context(), "d")); err != nil || s.Contents(ours) != "moved=y" {
		t.Errorf("%v; there is %s", err, s.Contents(ours))
	}
	if mine, err := openFrom(t, file, "r:"); err != nil || remotetest.Names(t, mine, ".") != "doc.docx f" {
		t.Errorf("a shared drive shows in that of the account: %v", err)
	}
}

// The double gives a token only for what the key of the service account has signed.
func TestServiceAccountsOfDrive(t *testing.T) {
	t.Parallel()
	s, _ := startDrive(t)
	key := s.ServiceAccount(t)
	path := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	file := fmt.Sprintf("[text]\ntype = drive\nendpoint = http://%s\nservice_account_credentials = %s\n[file]\ntype = drive\nendpoint = http://%s\nservice_account_file = %s\n", s.Addr, key, s.Addr, path)
	want := []string{"", "ann@example.com", "", "ann@example.com"}
	for _, remoteString := range []string{"text:", "text,impersonate=ann@example.com:", "file:", "file,impersonate=ann@example.com:"} {
		r, err := openFrom(t, file, remoteString)
		if err != nil {
			t.Fatalf("%s: %v", remoteString, err)
		}
		if got := remotetest.Names(t, r, "."); got != "doc.docx f" {
			t.Errorf("%s lists %q", remoteString, got)
		}
	}
	if got := s.Subjects(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("tokens were asked for %q, want %q", got, want)
	}
}
