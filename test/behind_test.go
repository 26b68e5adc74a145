package test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The three ways to have ferry look again, in the sentences of the manual, seen by an FTP client
// that lists before and after a change behind ferry's back on S3.
func TestDirectoryCachesAreFlushed(t *testing.T) {
	s := startGateway(t)
	env := append(s.environment("far", s.addr), "FERRY_RC=true", "FERRY_RC_ADDR=127.0.0.1:0")
	where := "far:" + s.fresh(t)
	proc, addr := serveAt(t, where, env)
	url := controlAddress(t, proc.log)
	_, otherAddr := serveAt(t, where, s.environment("far", s.addr))
	c, behind := login(t, "", addr), login(t, "", otherAddr)
	for _, dir := range []string{"path", "path/to", "path/to/dir", "path/to/dir/below"} {
		behind.do("MKD "+dir, 257)
	}
	dirs := []string{".", "path/to", "path/to/dir", "path/to/dir/below"}
	list := func() (all []string) {
		for _, dir := range dirs {
			all = append(all, lines(c.fetch("NLST "+dir))...)
		}
		return all
	}
	for i, step := range []struct {
		sentence string
		run      func()
		changed  []string // directories in which the change is seen afterwards
	}{
		{"you can send a SIGHUP signal for it to flush all directory caches, regardless of how old they are: kill -SIGHUP $(pidof ferry)", func() {
			if err := proc.cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			if err := proc.log.waitForLine("forgot all directories"); err != nil {
				t.Fatal(err)
			}
		}, dirs},
		{"you can use rc to flush the whole directory cache: ferry rc vfs/forget", func() { ferry(t, nil, "rc", "vfs/forget", "--url", url) }, dirs},
		{"Or individual files or directories: ferry rc vfs/forget file=path/to/file dir=path/to/dir", func() {
			ferry(t, nil, "rc", "vfs/forget", "file=path/to/file", "dir=path/to/dir", "--url", url)
		}, dirs[1:]},
	} {
		t.Run(step.sentence, func(t *testing.T) {
			before := list()
			name := fmt.Sprint("file", i)
			for _, dir := range dirs {
				behind.upload("STOR "+dir+"/"+name, []byte("behind"))
			}
			if got := list(); !slices.Equal(got, before) {
				t.Errorf("before the command %q is listed, and was %q", got, before)
			}
			step.run()
			for _, dir := range dirs {
				seen := slices.ContainsFunc(lines(c.fetch("NLST "+dir)), func(line string) bool { return strings.HasSuffix(line, name) })
				if want := slices.Contains(step.changed, dir); seen != want {
					t.Errorf("the new file in %s is seen: %v, want %v", dir, seen, want)
				}
			}
		})
	}
}

// Two clients read one file while a third overwrites it: each gets one content from its beginning
// to its end, or an error.
func TestReadersOfAFileThatIsOverwrittenGetTheWholeOldOrTheWholeNewContent(t *testing.T) {
	for _, start := range map[string]func(*testing.T) *site{"local": startLocal, "s3": startGateway} {
		s := start(t)
		options := s.options(s.addr)
		t.Run(options["type"], func(t *testing.T) {
			_, addr := serveAt(t, "far:"+s.fresh(t), s.environment("far", s.addr))
			contents := make([][]byte, 6)
			for i := range contents {
				contents[i] = content(3<<20+i*1000, fmt.Sprint("version ", i))
			}
			login(t, "", addr).upload("STOR f", contents[0])
			written := make(chan struct{})
			go func() { // no parallel subtest, which might have to wait for the readers to end
				defer close(written)
				if err := overwrite(addr, contents[1:]); err != nil {
					t.Error(err)
				}
			}()
			t.Run("all", func(t *testing.T) {
				for _, reader := range []string{"one reader", "other reader"} {
					t.Run(reader, func(t *testing.T) {
						t.Parallel()
						readWhileWritten(t, login(t, "", addr), contents, written)
					})
				}
			})
			<-written
			if got := login(t, "", addr).fetch("RETR f"); !bytes.Equal(got, contents[len(contents)-1]) {
				t.Errorf("at the end the file is other %s", bytesOnly(got))
			}
		})
	}
}

// overwrite stores one content after the other as f.
func overwrite(addr string, contents [][]byte) error {
	m, err := loginMortal(addr)
	if err != nil {
		return err
	}
	defer m.close()
	for _, body := range contents {
		if err := m.send("STOR f", body); err != nil {
			return err
		}
	}
	return nil
}

// readWhileWritten downloads f again and again until all is written.
func readWhileWritten(t *testing.T, c *ftpClient, contents [][]byte, written <-chan struct{}) {
	whole, broken := 0, 0
	for last := false; !last; {
		select {
		case <-written:
			last = true
		default:
		}
		data := c.data()
		c.do("RETR f", 150)
		body, readErr := io.ReadAll(data)
		data.Close()
		reply := c.expect(226, 426, 451)
		isWhole := readErr == nil && strings.HasPrefix(reply, "226")
		if isWhole {
			whole++
		} else {
			broken++
		}
		if !slices.ContainsFunc(contents, func(want []byte) bool {
			return isWhole && bytes.Equal(body, want) || !isWhole && bytes.HasPrefix(want, body)
		}) {
			t.Errorf("%s, answered with %q, are of no content that there ever was", bytesOnly(body), reply)
		}
	}
	if whole == 0 {
		t.Errorf("no download was whole, %d were broken", broken)
	}
}
