package drive_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/drive"
	"ferry/remote/remotetest"
)

const docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

func fails(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestDocumentsAreReadAsExports(t *testing.T) {
	t.Parallel()
	s, r := start(t)
	s.AddDocument(s.Root, "Report", "document", map[string]string{docx: "0123456789", "application/pdf": "pdf"})
	s.AddDocument(s.Root, "Form", "form", nil)
	s.AddDocument(s.Root, "Both", "document", map[string]string{docx: "hidden"})
	s.AddFile(s.Root, "Both.docx", "file")
	names, omitted, err := remotetest.ListOmitting(t.Context(), r, ".")
	slices.Sort(names)
	if got := strings.Join(names, " "); err != nil || got != "Both.docx Report.docx" || len(omitted) != 2 {
		t.Errorf("%q, left out %q, %v", names, omitted, err)
	}
	e, err := r.Stat(t.Context(), "Report.docx")
	if err != nil || e.Size != -1 || !e.ReadOnly || e.Dir {
		t.Errorf("%+v, %v", e, err)
	}
	if got := get(t, r, "Report.docx"); got != "0123456789" {
		t.Errorf("it is %q", got)
	}
	for _, c := range []struct {
		off, n int64
		want   string
	}{{3, 4, "3456"}, {8, -1, "89"}, {20, 5, ""}, {0, 0, ""}} {
		f, err := r.Open(t.Context(), "Report.docx", c.off, c.n)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		f.Close()
		if err != nil || string(b) != c.want {
			t.Errorf("from %d: %q, %v", c.off, b, err)
		}
	}
	if get(t, r, "Both.docx") != "file" {
		t.Error("a document hides a file")
	}
	_, err = r.Put(t.Context(), "Report.docx", strings.NewReader("x"), remote.PutOptions{})
	fails(t, "Put", err, remote.ErrPermission)
	_, err = r.Stat(t.Context(), "Report")
	fails(t, "Stat without the extension", err, remote.ErrNotExist)
	fails(t, "Move to another extension", remote.Move(t.Context(), r, "Report.docx", "Report.odt"), remote.ErrPermission)
	if err := remote.Move(t.Context(), r, "Report.docx", "Memo.docx"); err != nil || !strings.Contains(s.Contents(s.Root), "Memo=") {
		t.Errorf("%v: %s", err, s.Contents(s.Root))
	}
	if err := remote.Copy(t.Context(), r, "Memo.docx", "copy.bin"); err != nil || get(t, r, "copy.bin") != "0123456789" {
		t.Error(err)
	}
	if err := r.Remove(t.Context(), "Memo.docx"); err != nil || strings.Contains(s.Contents(s.Root), "Memo") {
		t.Error(err)
	}
	o := options(s.Addr)
	o.SkipDocuments = true
	if names, omitted, err := remotetest.ListOmitting(t.Context(), opened(t, o), "."); err != nil || len(names) != 2 || len(omitted) > 0 {
		t.Errorf("without documents: %q, %q, %v", names, omitted, err)
	}
	o.ExportFormats = []string{"nothing"}
	if _, err := drive.New(t.Context(), "", o); err == nil || !strings.Contains(err.Error(), "export_formats") {
		t.Error(err)
	}
}

func TestShortcutsLeadToFilesAndFolders(t *testing.T) {
	t.Parallel()
	s, r := start(t)
	folder := s.AddFolder(s.Root, "folder")
	file := s.AddFile(folder, "file", "content")
	s.AddShortcut(s.Root, "f", file)
	s.AddShortcut(s.Root, "d", folder)
	s.AddShortcut(s.Root, "dangling", "nowhere")
	names, _, err := remotetest.ListOmitting(t.Context(), r, ".")
	if got := strings.Join(names, " "); err != nil || got != "d f folder" {
		t.Errorf("%q, %v", got, err)
	}
	if e, err := r.Stat(t.Context(), "f"); err != nil || e.Size != 7 || e.Dir {
		t.Errorf("%+v, %v", e, err)
	}
	if get(t, r, "f") != "content" || get(t, r, "d/file") != "content" {
		t.Error("they lead to something else")
	}
	put(t, r, "f", "through the shortcut")
	put(t, r, "d/new", "new")
	if got := s.Contents(folder); got != "file=through the shortcut new=new" {
		t.Errorf("in the folder there is %s", got)
	}
	fails(t, "Remove of a folder", r.Remove(t.Context(), "d"), remote.ErrIsDir)
	fails(t, "Rmdir of a file", r.Rmdir(t.Context(), "f"), remote.ErrNotDir)
	if err := errors.Join(r.Rmdir(t.Context(), "d"), r.Remove(t.Context(), "f"), r.Remove(t.Context(), "dangling")); err != nil {
		t.Error(err)
	}
	if got := s.Contents(s.Root); got != "folder/" || s.Contents(folder) == "" {
		t.Errorf("left are %q and %q", got, s.Contents(folder))
	}
	o := options(s.Addr)
	o.SkipShortcut = true
	s.AddShortcut(s.Root, "f", file)
	if names, omitted, err := remotetest.ListOmitting(t.Context(), opened(t, o), "."); err != nil || len(names) != 1 || len(omitted) > 0 {
		t.Errorf("without shortcuts: %q, %q, %v", names, omitted, err)
	}
}

func TestOtherPartsOfADrive(t *testing.T) {
	t.Parallel()
	s, r := start(t)
	folder := s.AddFolder(s.Root, "theirs")
	s.AddFile(folder, "f", "shared")
	s.Share(folder)
	mine := s.AddFolder(s.Root, "mine")
	s.Trash(s.AddFile(mine, "gone", "from the trash"))
	s.AddFile(mine, "here", "x")
	part := func(change func(o *drive.Options)) remote.Remote {
		o := options(s.Addr)
		change(&o)
		return opened(t, o)
	}
	shared := part(func(o *drive.Options) { o.SharedWithMe = true })
	if names, _, err := remotetest.ListOmitting(t.Context(), shared, "."); err != nil || strings.Join(names, " ") != "theirs" {
		t.Errorf("shared: %q, %v", names, err)
	}
	if e, err := shared.Stat(t.Context(), "."); err != nil || !e.Dir || !e.ReadOnly || get(t, shared, "theirs/f") != "shared" {
		t.Errorf("%+v, %v", e, err)
	}
	fails(t, "Mkdir among the shared", shared.Mkdir(t.Context(), "d"), remote.ErrPermission)
	_, err := shared.Put(t.Context(), "f", strings.NewReader("x"), remote.PutOptions{})
	fails(t, "Put among the shared", err, remote.ErrPermission)
	trash := part(func(o *drive.Options) { o.TrashedOnly = true })
	if names, _, err := remotetest.ListOmitting(t.Context(), trash, "mine"); err != nil || strings.Join(names, " ") != "gone" || get(t, trash, "mine/gone") != "from the trash" {
		t.Errorf("trash: %q, %v", names, err)
	}
	fails(t, "Remove in the trash", trash.Remove(t.Context(), "mine/gone"), remote.ErrPermission)
	below := part(func(o *drive.Options) { o.RootFolderID = mine })
	put(t, below, "new", "x")
	if got := s.Contents(mine); got != "here=x new=x" {
		t.Errorf("below the folder: %s", got)
	}
	forever := part(func(o *drive.Options) { o.DeleteForever = true })
	if err := errors.Join(forever.Remove(t.Context(), "mine/new"), r.Remove(t.Context(), "mine/here")); err != nil {
		t.Error(err)
	}
	if names, _, err := remotetest.ListOmitting(t.Context(), trash, "mine"); err != nil || strings.Join(names, " ") != "gone here" {
		t.Errorf("trash: %q, %v", names, err)
	}
	reads := part(func(o *drive.Options) { o.Scope = "drive.readonly" })
	if !reads.Info().Caps.ReadOnly {
		t.Error("a scope that only reads is one that writes")
	}
	for option, change := range map[string]func(o *drive.Options){
		"root_folder_id": func(o *drive.Options) { o.RootFolderID = "none" },
		"team_drive":     func(o *drive.Options) { o.TeamDrive = "none" },
	} {
		_, err = part(change).Stat(t.Context(), ".")
		fails(t, "Stat of a root that is missing", err, remote.ErrNotExist)
		if err == nil || !strings.Contains(err.Error(), "check the option "+option) {
			t.Errorf("%s: %v", option, err)
		}
	}
}

func TestAFullDriveIsNoSpace(t *testing.T) {
	t.Parallel()
	s, r := start(t)
	put(t, r, "f", "12345")
	s.Quota(10)
	if u, err := r.Usage(t.Context()); err != nil || u != (remote.Usage{Total: 10, Used: 5, Free: 5}) {
		t.Errorf("%+v, %v", u, err)
	}
	for _, length := range []int{6, 9 << 20} {
		_, err := r.Put(t.Context(), "g", strings.NewReader(strings.Repeat("x", length)), remote.PutOptions{})
		fails(t, "Put", err, remote.ErrNoSpace)
	}
	if got := s.Contents(s.Root); got != "f=12345" {
		t.Errorf("there is %s", got)
	}
}

// What another program does to folders is noticed at the latest where it would do harm.
func TestFoldersThatOthersTakeAway(t *testing.T) {
	t.Parallel()
	s, r := start(t)
	gone, trashed := s.AddFolder(s.Root, "gone"), s.AddFolder(s.Root, "trashed")
	put(t, r, "gone/f", "x")
	put(t, r, "trashed/f", "x")
	s.Delete(gone)
	s.Trash(trashed)
	for _, dir := range []string{"gone", "trashed"} {
		_, err := r.Put(t.Context(), dir+"/new", strings.NewReader("x"), remote.PutOptions{})
		fails(t, "Put in "+dir, err, remote.ErrNotExist)
		_, _, err = remotetest.ListOmitting(t.Context(), r, dir)
		fails(t, "List of "+dir, err, remote.ErrNotExist)
		fails(t, "Mkdir in "+dir, r.Mkdir(t.Context(), dir+"/d"), remote.ErrNotExist)
	}
	again := s.AddFolder(s.Root, "gone")
	put(t, r, "gone/f", "y")
	if got := s.Contents(again); got != "f=y" {
		t.Errorf("in the new folder there is %q", got)
	}
}

func TestAFolderThatIsFilledMeanwhileIsNotRemoved(t *testing.T) {
	t.Parallel()
	s, r := start(t)
	folder := s.AddFolder(s.Root, "d")
	filled := false
	s.Hook(func(q *http.Request) {
		if q.Method == "PATCH" && !filled {
			filled = true
			s.AddFile(folder, "f", "came meanwhile")
		}
	})
	fails(t, "Rmdir", r.Rmdir(t.Context(), "d"), remote.ErrNotEmpty)
	s.Hook(nil)
	if got := get(t, r, "d/f"); got != "came meanwhile" {
		t.Errorf("it is %q", got)
	}
}

// The service may take a while to find what it has been given.
func TestWhatIsNotListedYetIsThere(t *testing.T) {
	t.Parallel()
	s, r := start(t)
	put(t, r, "old", "x")
	s.Freeze()
	if err := r.Mkdir(t.Context(), "d"); err != nil {
		t.Fatal(err)
	}
	put(t, r, "d/f", "one")
	put(t, r, "d/f", "two")
	fails(t, "Mkdir", r.Mkdir(t.Context(), "d"), remote.ErrExist)
	if err := r.Move(t.Context(), "d/f", "d/g"); err != nil || get(t, r, "d/g") != "two" {
		t.Error(err)
	}
	_, err := r.Stat(t.Context(), "d/f")
	fails(t, "Stat of the old name", err, remote.ErrNotExist)
	if err := r.Remove(t.Context(), "d/g"); err != nil {
		t.Error(err)
	}
	_, err = r.Stat(t.Context(), "d/g")
	fails(t, "Stat of what was removed", err, remote.ErrNotExist)
	s.Thaw()
	if got := s.Contents(s.ID(s.Root, "d")); got != "" {
		t.Errorf("left is %s", got)
	}
}
