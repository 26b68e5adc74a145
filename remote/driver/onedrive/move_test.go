package onedrive_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/onedrive"
	"ferry/remote/remotetest/badnet"
	"ferry/remote/remotetest/servers/graphserver"
)

// Whoever asks for a file that is being replaced gets the old one or the new one.
func TestAFileThatIsReplacedInTwoStepsIsThereAllTheTime(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	r, drive := openDrive(t, s, s.Addr, graphserver.Personal, onedrive.Options{})
	put(t, r, "f", "content 0")
	done := make(chan struct{})
	var readers sync.WaitGroup
	for _, name := range []string{"f", "F"} {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if _, err := r.Stat(t.Context(), name); err != nil {
					t.Errorf("Stat: %v", err)
				}
				f, err := r.Open(t.Context(), name, 0, -1)
				if err != nil {
					t.Errorf("Open: %v", err)
					continue
				}
				f.Close()
			}
		})
	}
	for i := range 20 {
		put(t, r, "g", fmt.Sprint("content ", i))
		if err := r.Move(t.Context(), "g", "f"); err != nil {
			t.Errorf("Move: %v", err)
		}
	}
	close(done)
	readers.Wait()
	if got := get(t, r, "f"); got != "content 19" {
		t.Errorf("it holds %q", got)
	}
	if names := s.Names(drive, ""); names != "f" {
		t.Errorf("there is %q", names)
	}
}

func TestAReplacementThatFailsHalfway(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		rules []badnet.Rule
		locks bool
		done  bool
		names string
	}{
		"the new file is locked":          {nil, true, false, "f g"},
		"the answer that it is aside":     {lost(1, 1, false), false, true, "f"},
		"the answer of the last step":     {lost(2, 1, false), false, true, "f"},
		"the last step":                   {lost(2, 1, true), false, false, "f g"},
		"the answer that the old is gone": {[]badnet.Rule{{Method: "DELETE", Times: 1, Fate: badnet.Fate{Answer: badnet.Dropped}}}, false, true, "f"},
		"the last step, and the way back": {lost(2, -1, true), false, false, aside("f") + " g"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := graphserver.Start(t)
			n := badnet.Start(t, s.Addr)
			r, drive := openDrive(t, s, n.Addr, graphserver.Business, onedrive.Options{})
			put(t, r, "f", "old")
			put(t, r, "g", "new")
			s.Lock(drive, "g", c.locks)
			for _, rule := range c.rules {
				n.Add(rule)
			}
			err := r.Move(t.Context(), "g", "f")
			if (err == nil) != c.done || err != nil && remote.Permanent(err) {
				t.Errorf("%v\n%s", err, n.History())
			}
			n.Heal()
			names := s.Names(drive, "")
			if strings.Contains(names, aside("f")) && !strings.Contains(err.Error(), aside("f")) {
				t.Errorf("the old file is not to be found by %v", err)
			}
			if names != c.names {
				t.Errorf("there is %q, want %q\n%s", names, c.names, n.History())
			}
			if want := map[bool]string{true: "new", false: "old"}[c.done]; get(t, r, "f") != want {
				t.Errorf("it does not hold %q", want)
			}
		})
	}
}

// lost has the answers of some PATCH requests be lost, or the requests themselves.
func lost(skip, times int, whole bool) []badnet.Rule {
	fate := badnet.Fate{Answer: badnet.Dropped}
	if whole {
		fate = badnet.Fate{Lost: true, Answer: badnet.Ahead}
	}
	return []badnet.Rule{{Method: "PATCH", Skip: skip, Times: times, Fate: fate}}
}

func TestLettersOfNames(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	r, drive := openDrive(t, s, s.Addr, graphserver.Business, onedrive.Options{})
	if err := r.Mkdir(t.Context(), "Dir"); err != nil {
		t.Fatal(err)
	}
	put(t, r, "dir/File", "content")
	for _, names := range [][2]string{{"Dir/File", "DIR/FILE"}, {"Dir", "dIR"}} {
		if err := r.Move(t.Context(), names[0], names[1]); err != nil {
			t.Errorf("%q: %v", names, err)
		}
	}
	if names := s.Names(drive, "") + " " + s.Names(drive, "dir"); names != "dIR FILE" {
		t.Errorf("there is %q", names)
	}
	if err := r.Mkdir(t.Context(), "DIR"); !errors.Is(err, remote.ErrExist) {
		t.Errorf("%v", err)
	}
	if err := r.Move(t.Context(), "dir", "DIR/below"); !errors.Is(err, remote.ErrInvalid) {
		t.Errorf("%v", err)
	}
}

func TestCopy(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{graphserver.Personal, graphserver.Business} {
		s := graphserver.Start(t)
		r, drive := openDrive(t, s, s.Addr, kind, onedrive.Options{})
		put(t, r, "f", "content")
		put(t, r, "old", "old")
		for _, to := range []string{"new", "old", "f", "F"} {
			if err := r.Copy(t.Context(), "f", to); err != nil {
				t.Errorf("%s: %v", to, err)
			}
			if e, err := r.Stat(t.Context(), to); err != nil || e.Size != 7 || !e.ModTime.Equal(when) {
				t.Errorf("%s: %+v, %v", to, e, err)
			}
		}
		s.SetQuota(drive, 25)
		if err := r.Copy(t.Context(), "f", "full"); !errors.Is(err, remote.ErrNoSpace) {
			t.Errorf("%v", err)
		}
		if names := s.Names(drive, ""); names != "f new old" {
			t.Errorf("there is %q", names)
		}
	}
}
