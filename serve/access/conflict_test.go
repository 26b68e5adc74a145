package access_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"ferry/ftp"
	"ferry/serve/access"
	"ferry/vfs"
)

func TestAConflictIsRefused(t *testing.T) {
	c := dial(t, access.New(newTree(t, vfs.Options{}, "f", "d/"), access.Policy{OnConflict: access.Refuse}))
	c.script(`
		SEND STOR f > 550 You may not replace files here
		SEND STOR g > 226 Transfer complete.
		SEND STOR g > 550 You may not replace files here
		SEND STOR d > 550 Is a directory
		SEND STOU > 226
		SEND APPE f > 226
		SIZE f > 213 8
		REST 4 > 350
		SEND STOR f > 226
		RNFR g > 350
		RNTO f > 550 You may not replace files here
		RNFR g > 350
		RNTO h > 250 Renamed.
		RNFR h > 350
		RNTO h > 250
		DELE f > 250
		SEND STOR f > 226`)
	_, facts := c.do("MLST f")
	if _, perm, _ := strings.Cut(facts, "perm="); perm == "" || strings.Contains(strings.Split(perm, ";")[0], "w") {
		t.Errorf("the file can be replaced, it is said: %s", facts)
	}
}

func TestAConflictGetsAnotherName(t *testing.T) {
	c := dial(t, access.New(newTree(t, vfs.Options{}, "f.jpg", "d/", ".rc", "d/x.y/"), access.Policy{OnConflict: access.Beside}))
	c.script(`
		SEND STOR f.jpg > 226 Transfer complete. Stored as "/f (1).jpg".
		SEND STOR f.jpg > 226 Transfer complete. Stored as "/f (2).jpg".
		SEND STOR new > 226 Transfer complete.
		SEND STOR new > 226 Transfer complete. Stored as "/new (1)".
		SEND STOR .rc > 226 Transfer complete. Stored as "/.rc (1)".
		SEND STOR d > 550 Is a directory
		SEND STOU > 226
		RNFR f.jpg > 350
		RNTO d/f.jpg > 250 Renamed.
		GET NLST > 226 .rc .rc (1) d f (1).jpg f.jpg new new (1)`)
}

// For the session that sent it, the name that it sent means what it sent, until it looks.
func TestAClientGoesOnWithTheNameItSent(t *testing.T) {
	p := access.Policy{OnConflict: access.Beside}
	c := dial(t, access.New(newTree(t, vfs.Options{}, "f", "old.tmp"), p))
	code, _, _ := c.transfer("STOR f", []byte("longer text"))
	if code != 226 {
		t.Fatal(code)
	}
	c.script(`
		SIZE f > 213 11
		MFMT 20200101000000 f > 213
		MDTM f > 213 20200101000000
		SIZE f (1) > 213 11
		GET RETR f > 226 longer text
		SEND APPE f > 226
		SIZE f > 213 15
		GET NLST > 226 f f (1) old.tmp
		SIZE f > 213 4
		SIZE f (1) > 213 15
		SEND STOR old.tmp > 226
		RNFR old.tmp > 350
		RNTO f > 250 Renamed. Stored as "/f (2)".
		MFMT 20200101000000 f > 213
		GET NLST > 226 f f (1) f (2) old.tmp
		SEND STOR f > 226
		DELE f > 250
		SIZE f > 213 4
		GET NLST > 226 f f (1) f (2) old.tmp`)
}

// An upload that was cut goes on where it was, beside the file whose name it was to have.
func TestAnUploadThatWasCutGoesOnBeside(t *testing.T) {
	tree := newTree(t, vfs.Options{}, "f")
	p := access.Policy{OnConflict: access.Beside}
	if err := cut(access.New(tree, p), "f"); err != nil {
		t.Fatal(err)
	}
	c := dial(t, access.New(tree, p)) // of the same user, who does not know the other name
	c.script(`
		SIZE f > 213 4
		REST 2 > 350
		SEND STOR f > 226
		GET NLST > 226 f f (1)
		SIZE f > 213 4
		SIZE f (1) > 213 6
		REST 4 > 350
		SEND STOR f > 226
		SIZE f > 213 8`)
}

// Who may not replace and must not know what is there gets another name too.
func TestAConflictInADropBox(t *testing.T) {
	p := access.Policy{Rules: []access.Rule{rule("/", "drop-box")}, OnConflict: access.Beside}
	c := dial(t, access.New(newTree(t, vfs.Options{}, "f", "f (1)/"), p))
	c.script(`
		SEND STOR f > 226 Transfer complete. Stored as "/f (2)".
		GET NLST > 226 f (2)`)
	p = access.Policy{Rules: []access.Rule{rule("/", "read-only")}, OnConflict: access.Beside}
	dial(t, access.New(newTree(t, vfs.Options{}, "f"), p)).script(`SEND STOR f > 550 You may not upload`)
}

// A name is as long as before.
func TestALongNameBeside(t *testing.T) {
	long := strings.Repeat("é", 125) + ".jpg"
	c := dial(t, access.New(newTree(t, vfs.Options{}, long), access.Policy{OnConflict: access.Beside}))
	c.script("SEND STOR " + long + ` > 226 Transfer complete. Stored as "/` + strings.Repeat("é", 123) + ` (1).jpg".`)
}

// counted counts questions.
type counted struct {
	ftp.Forward
	stats int
}

func (c *counted) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	c.stats++
	return c.FS.Stat(ctx, name)
}

// Many files of one name do not make the next one slow.
func TestManyFilesBesideEachOther(t *testing.T) {
	tree := newTree(t, vfs.Options{}, "f")
	const many = 1000
	for k := range many {
		put(tree, fmt.Sprintf("f (%d)", k+1), false)
	}
	under := &counted{Forward: ftp.Forward{FS: tree}}
	up, err := access.New(under, access.Policy{OnConflict: access.Beside}).Create(t.Context(), "f", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer up.Abort()
	if name := up.(ftp.Placed).Name(); name != "f (1001)" || under.stats > 30 {
		t.Errorf("%s, after %d questions", name, under.stats)
	}
}

// What many sessions send at once under one name is all there, by sending and by renaming.
func TestManySessionsSendOneName(t *testing.T) {
	tree := newTree(t, vfs.Options{})
	const many = 8
	var wg, begun sync.WaitGroup
	begun.Add(many)
	for i := range many {
		text := fmt.Sprint("sent ", i)
		wg.Go(func() {
			f := access.New(tree, access.Policy{OnConflict: access.Beside})
			up, err := f.Create(context.Background(), "f.jpg", 0)
			begun.Done()
			if err != nil {
				t.Error(err)
				return
			}
			defer up.Abort()
			begun.Wait()
			_, err = io.WriteString(up, text)
			if err := errors.Join(err, up.Commit(context.Background())); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			f := access.New(tree, access.Policy{OnConflict: access.Beside})
			from := fmt.Sprint(i, ".part")
			err := send(f, from, "renamed "+text)
			begun.Wait()
			if err := errors.Join(err, f.Rename(context.Background(), from, "f.jpg")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	texts := map[string]bool{}
	for info, err := range tree.List(t.Context(), ".") {
		if err != nil {
			t.Fatal(err)
		}
		r, err := tree.Open(t.Context(), info.Name(), 0)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(r)
		r.Close()
		texts[string(text)] = true
	}
	if len(texts) != 2*many {
		t.Errorf("there are %d of %d: %v", len(texts), 2*many, texts)
	}
}

// send stores text under a name.
func send(f ftp.FS, name, text string) error {
	up, err := f.Create(context.Background(), name, 0)
	if err != nil {
		return err
	}
	defer up.Abort()
	if _, err := io.WriteString(up, text); err != nil {
		return err
	}
	return up.Commit(context.Background())
}

// Somebody who replaces files may take a chosen name first. The client is told to try again.
func TestAChosenNameThatIsTakenAfterAll(t *testing.T) {
	tree := newTree(t, vfs.Options{})
	up, err := access.New(tree, access.Policy{OnConflict: access.Beside}).Create(t.Context(), "f", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer up.Abort()
	if err := send(tree, "f", "theirs"); err != nil {
		t.Fatal(err)
	}
	var hint interface{ Hint() string }
	if err := up.Commit(t.Context()); !errors.As(err, &hint) || !strings.Contains(hint.Hint(), "send it again") {
		t.Errorf("%v", err)
	}
}
