package gcs

import (
	"context"
	"encoding/json"
	"errors"
	"hash/crc32"
	"net/http"
	"net/url"

	"ferry/remote"
	"ferry/remote/driver/internal/google"
	"ferry/remote/driver/internal/objects"
)

// An upload that was cut is left as the session that the service has of it for a week. What it is
// found by is a secret as long: who knows it may write that object.

// sentState is what objects.Sent keeps of a session.
type sentState struct {
	Place *google.Place `json:"session,omitempty"` // nil = there is none yet
	Base  string        `json:"base,omitempty"`    // the generation of the object that stands in front
	Keep  int64         `json:"keep,omitempty"`    // and its length
	Into  string        `json:"into,omitempty"`    // the name of the object that is put behind that
}

func (st sentState) size() int64 {
	if st.Place == nil {
		return st.Keep
	}
	return st.Keep + st.Place.Off
}

// sentOf reads what another process has written down.
func sentOf(sent objects.Sent) (st sentState, err error) {
	if err := json.Unmarshal(sent.State, &st); err != nil || st.size() != sent.Size {
		return st, remote.ErrNotExist
	}
	return st, nil
}

// PutPlain implements objects.Keeper. Nobody else may read the object, as far as there are ACLs.
func (s *store) PutPlain(ctx context.Context, k objects.Key, content []byte, old string) (string, error) {
	generation := "0"
	if old != "" {
		generation = old
	}
	described := object{ContentType: "application/octet-stream", CRC32C: encodeSum(crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli)))}
	stored := new(object)
	err := s.service.UploadWhole(ctx, google.Call{
		Method: http.MethodPost,
		Path:   bucketPath(k.Bucket) + "/o",
		Query:  url.Values{"name": {k.Name}, "fields": {fields}, "ifGenerationMatch": {generation}},
		Sends:  described,
	}, described.ContentType, content, stored)
	if google.HasCode(err, http.StatusPreconditionFailed) {
		return "", remote.ErrChanged
	}
	return version(stored.Generation), s.translate(err)
}

// Continue implements objects.Keeper.
func (s *store) Continue(ctx context.Context, k objects.Key, sent objects.Sent, o objects.CreateOptions) (objects.Draft, error) {
	st, err := sentOf(sent)
	if err != nil {
		return nil, err
	}
	create := objects.CreateOptions{Only: o.Only}
	if st.Base != "" {
		if create.Base, err = s.Head(ctx, k); err != nil {
			return nil, err
		}
		if create.Base.Version != st.Base {
			return nil, remote.ErrChanged
		}
	}
	d := s.newDraft(ctx, k, create)
	if st.Base != "" {
		d.composes, d.stored = true, true
		d.into.Name = st.Into
	}
	d.size, d.place = sent.Size, st.Place
	if st.Place != nil {
		d.pipe(d.resume(*st.Place))
	}
	return d, nil
}

// Holds implements objects.Keeper.
func (s *store) Holds(ctx context.Context, k objects.Key, sent objects.Sent) error {
	st, err := sentOf(sent)
	if err != nil {
		return err
	}
	if st.Base != "" {
		if o, err := s.Head(ctx, k); err != nil || o.Version != st.Base {
			return errors.Join(err, remote.ErrNotExist)
		}
	}
	if st.Place == nil {
		return nil
	}
	has, err := s.service.Confirms(ctx, *st.Place)
	if err == nil && has < st.Place.Off {
		err = remote.ErrNotExist
	}
	return s.translate(err)
}

// Forget implements objects.Keeper. A session that stays ends by itself.
func (s *store) Forget(ctx context.Context, _ objects.Key, sent objects.Sent) error {
	if st, err := sentOf(sent); err == nil && st.Place != nil {
		_ = s.service.GiveUp(ctx, *st.Place)
	}
	return nil
}

// Cut implements objects.Keeper. A session goes on where it is, and nowhere else.
func (s *store) Cut(objects.Sent, int64) (objects.Sent, bool) { return objects.Sent{}, false }

// Halt implements objects.KeptDraft.
func (d *draft) Halt(cause error) {
	d.memory.Upload.Fail(cause)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.halted != nil {
		return
	}
	if d.halted = cause; d.piping != nil {
		_ = d.piping.CloseWithError(cause) // never fails
	}
}

// Sent implements objects.KeptDraft.
func (d *draft) Sent() objects.Sent {
	d.mu.Lock()
	defer d.mu.Unlock()
	st := sentState{Place: d.place}
	if d.composes {
		st.Base, st.Keep, st.Into = d.base.Version, d.base.Size, d.into.Name
	}
	s := objects.Sent{Size: st.size()}
	if s.Size > 0 {
		s.State, _ = json.Marshal(st) // never fails
	}
	return s
}

// Noted implements objects.KeptDraft.
func (d *draft) Noted() {}

// Keep implements objects.KeptDraft.
func (d *draft) Keep(ctx context.Context) (objects.Sent, []byte) {
	rest := d.held
	if d.insert != nil {
		d.Halt(objects.ErrCut)
		stop := context.AfterFunc(ctx, d.cancel)
		defer stop()
		<-d.insert.done
		d.mu.Lock()
		rest = d.rest
		d.mu.Unlock()
	}
	sent := d.Sent()
	if sent.Size+int64(len(rest)) != d.size {
		return sent, nil // what is between is lost
	}
	return sent, rest
}

// Release implements objects.KeptDraft. The temporary object is not there before the session ends.
func (d *draft) Release() {
	d.stored = false
	d.Abort()
}
