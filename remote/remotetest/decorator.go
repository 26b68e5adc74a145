package remotetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ferry/remote"
)

// RunDecorator checks that what decorate makes of a remote keeps the contracts, and has exactly the
// abilities of the remote below it. Each call of open gives an empty remote with all of them.
func RunDecorator(t *testing.T, open func() remote.Remote, decorate func(remote.Remote) remote.Remote) {
	Run(t, func(*testing.T) remote.Remote { return decorate(open()) })
	t.Run("Forward", func(t *testing.T) {
		runAll(t, func(*testing.T) remote.Remote { return decorate(open()) }, []test{
			{"no ability is lost", func(s *suite) {
				s.put("f", "x")
				for ability, err := range s.abilities() {
					if err != nil {
						s.Errorf("%s: %v", ability, err)
					}
				}
			}},
		})
		during := new(func())
		slow := func(*testing.T) remote.Remote {
			return decorate(slowAnswers{remote.Forward{Remote: open()}, func() { (*during)() }})
		}
		runAll(t, slow, []test{
			{"a change waits for its answer, and its doubts are reported", func(s *suite) { s.keepsPatience(during) }},
		})
		runAll(t, func(*testing.T) remote.Remote { return decorate(plain{open()}) }, []test{
			{"no ability is invented", func(s *suite) {
				s.put("f", "x")
				for ability, err := range s.abilities() {
					if !errors.Is(err, remote.ErrUnsupported) {
						s.Errorf("%s: %v", ability, err)
					}
				}
			}},
			{"Unwrap leads to the remote below", func(s *suite) {
				w, ok := s.r.(interface{ Unwrap() remote.Remote })
				if !ok {
					s.Fatalf("%T has no Unwrap", s.r)
				}
				if _, ok := w.Unwrap().(plain); !ok {
					s.Errorf("it leads to %T", w.Unwrap())
				}
			}},
		})
	})
}

// plain is a remote that can do nothing but what every remote can.
type plain struct{ remote.Remote }

// abilities makes a call of each optional interface.
func (s *suite) abilities() map[string]error {
	errs := map[string]error{}
	if st, ok := remote.AsStager(s.r); ok {
		_, errs["Stager"] = st.Stage(s.ctx, "staged", remote.StageOptions{Owner: alice})
	} else {
		errs["Stager"] = remote.ErrUnsupported
	}
	errs["Watcher"] = s.beginWatch()
	_, errs["Hasher"] = remote.Hash(s.ctx, s.r, "f", "md5")
	_, errs["Usager"] = remote.GetUsage(s.ctx, s.r)
	errs["ModTimer"] = remote.SetModTime(s.ctx, s.r, "f", time.Now())
	errs["TimeChecker"] = remote.CheckTime(s.r, "f", time.Date(2500, 1, 1, 0, 0, 0, 0, time.UTC))
	errs["Moder"] = remote.SetMode(s.ctx, s.r, "f", 0o644)
	// The helpers do without these where they must.
	s.put("g", "x")
	errs["VersionRemover"] = s.r.(remote.VersionRemover).RemoveVersion(s.ctx, "g", s.stat("g").Version)
	_, errs["ConditionalPutter"] = remote.PutIf(s.ctx, s.r, "new", strings.NewReader("x"), "", remote.PutOptions{})
	errs["Copier"] = s.r.(remote.Copier).Copy(s.ctx, "f", "copied")
	errs["Mover"] = s.r.(remote.Mover).Move(s.ctx, "f", "moved")
	return errs
}

// beginWatch returns how a watch begins.
func (s *suite) beginWatch() error {
	w, ok := remote.AsWatcher(s.r)
	if !ok {
		return remote.ErrUnsupported
	}
	for _, err := range w.Watch(s.ctx, time.Minute) {
		return err
	}
	return errors.New("it ends without an error")
}
