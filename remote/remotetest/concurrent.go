package remotetest

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ferry/remote"
)

// workers is how many goroutines do the same thing at once.
const workers = 8

func concurrentTests() []test {
	return []test{
		{"different files do not disturb each other", func(s *suite) {
			s.mkdir("d")
			s.together(func(w int) error {
				for i := range 20 {
					name, content := fmt.Sprintf("d/%d-%d", w, i), letters(w, 1000+i)
					if _, err := s.r.Put(s.ctx, name, strings.NewReader(content), remote.PutOptions{}); err != nil {
						return err
					}
					got, err := s.read(name, 0, -1)
					if err != nil || got != content {
						return fmt.Errorf("%s holds %s, %v", name, short(got), err)
					}
					if i%2 == 0 {
						if err := s.r.Remove(s.ctx, name); err != nil {
							return err
						}
					}
				}
				return nil
			})
			if got := len(s.list("d")); got != workers*10 {
				s.Errorf("%d files are left", got)
			}
		}},
		{"readers see the whole old or the whole new content", func(s *suite) {
			s.put("f", letters(0, 50_000))
			s.together(func(w int) error {
				for i := range 20 {
					if w%2 == 0 {
						body := strings.NewReader(letters(w, 40_000+w*1000+i))
						if _, err := s.r.Put(s.ctx, "f", body, remote.PutOptions{}); err != nil {
							return err
						}
						continue
					}
					got, err := s.read("f", 0, -1)
					if err != nil {
						return err
					}
					if len(got) < 40_000 || strings.Trim(got, got[:1]) != "" {
						return fmt.Errorf("a reader sees %s", short(got))
					}
				}
				return nil
			})
			s.lists(".", "f")
		}},
		{"a file that is replaced is there all the time", func(s *suite) {
			s.put("f", "x")
			s.together(func(w int) error {
				for i := range 20 {
					if w%2 == 0 {
						body := strings.NewReader(letters(w, 100))
						if _, err := s.r.Put(s.ctx, "f", body, remote.PutOptions{}); err != nil {
							return err
						}
						continue
					}
					if _, err := s.r.Stat(s.ctx, "f"); err != nil {
						return fmt.Errorf("look %d: %w", i, err)
					}
					if err := s.listErr(s.ctx, "."); err != nil {
						return err
					}
				}
				return nil
			})
		}},
		{"one of many makes the directory", func(s *suite) {
			for i := range 10 {
				dir := fmt.Sprintf("d%d", i)
				var made atomic.Int32
				s.together(func(int) error {
					err := s.r.Mkdir(s.ctx, dir)
					if err == nil {
						made.Add(1)
					} else if !errors.Is(err, remote.ErrExist) {
						return err
					}
					return nil
				})
				if n := made.Load(); n != 1 && !s.caps.ImplicitDirs {
					s.Errorf("%d made %s", n, dir)
				}
			}
		}},
	}
}

func stageConcurrentTests() []test {
	return []test{
		{"many uploads of one name by one owner and by others", func(s *suite) {
			s.put("f", letters(25, 1000))
			s.together(func(w int) error {
				owner := alice
				if w%2 == 1 {
					owner = bob
				}
				for i := range 10 {
					if err := s.uploadOnce("f", owner, letters(w, 5000+w), i%3); err != nil {
						return err
					}
				}
				return nil
			})
			got := s.get("f")
			if len(got) < 1000 || strings.Trim(got, got[:1]) != "" {
				s.Errorf("f holds %s", short(got))
			}
			for key := range s.list(".") {
				if key != "f" && key != alice+":f" && key != bob+":f" {
					s.Errorf("%q is left", key)
				}
			}
		}},
		{"one of many continues a part", func(s *suite) {
			if s.caps.NoParts {
				return
			}
			for i := range 10 {
				name := fmt.Sprintf("f%d", i)
				s.keepPart(name, alice, "01234")
				var taken atomic.Int32
				s.together(func(int) error {
					o := remote.StageOptions{Owner: alice, Base: remote.BasePart, Off: remote.AtEnd}
					u, err := s.stager().Stage(s.ctx, name, o)
					if errors.Is(err, remote.ErrNotExist) {
						return nil
					}
					if err != nil {
						return err
					}
					taken.Add(1)
					if _, err := io.WriteString(u, "56789"); err != nil {
						return err
					}
					_, err = u.Commit(s.ctx, time.Time{})
					return err
				})
				if n := taken.Load(); n != 1 {
					s.Errorf("%d continued %s", n, name)
				}
				s.holds(name, "0123456789")
			}
		}},
		{"Keep and Abort may come at any time", func(s *suite) {
			for i := range 20 {
				u := s.stage("f", remote.StageOptions{Owner: alice})
				u.write("begin")
				var done sync.WaitGroup
				done.Go(func() {
					for {
						if _, err := io.WriteString(u.Stage, letters(1, 1000)); err != nil {
							return // as the stage has ended
						}
					}
				})
				var err error
				if i%2 == 0 {
					err = u.Keep()
				} else {
					err = u.Abort()
				}
				done.Wait()
				s.ok(err)
			}
			s.gone("f")
		}},
	}
}

// uploadOnce stages content and ends the stage in one of three ways.
func (s *suite) uploadOnce(name, owner, content string, end int) error {
	u, err := s.stager().Stage(s.ctx, name, remote.StageOptions{Owner: owner})
	if err != nil {
		return err
	}
	for _, half := range []string{content[:len(content)/2], content[len(content)/2:]} {
		if _, err := io.WriteString(u, half); err != nil {
			return err
		}
	}
	switch end {
	case 0:
		_, err = u.Commit(s.ctx, time.Time{})
	case 1:
		err = u.Keep()
	default:
		err = u.Abort()
	}
	return err
}

// together runs work in several goroutines at once and reports their errors.
func (s *suite) together(work func(worker int) error) {
	s.Helper()
	errs := make([]error, workers)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() { errs[w] = work(w) })
	}
	all.Wait()
	for w, err := range errs {
		if err != nil {
			s.Errorf("worker %d: %v", w, err)
		}
	}
}

// letters returns n times the letter of a worker.
func letters(worker, n int) string {
	return strings.Repeat(string(rune('a'+worker)), n)
}
