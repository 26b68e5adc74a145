package onedrive

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ferry/remote"
	"ferry/remote/partname"
)

const (
	firstLook = 100 * time.Millisecond // at a copy under way; then twice as long each time
	longLook  = 5 * time.Second
)

// Copy implements remote.Copier. The service copies in its own time: a hidden copy is made, waited
// for, and renamed.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	err := check(ctx, from)
	if err == nil {
		err = r.checkNew(ctx, to)
	}
	if err == nil && to == "." {
		err = remote.ErrIsDir
	}
	if err == nil {
		err = r.copy(ctx, from, to)
	}
	return remote.Fail("copy", from, err)
}

func (r *Remote) copy(ctx context.Context, from, to string) error {
	f, err := r.look(ctx, from)
	switch {
	case err != nil:
		return err
	case f.item.isDir():
		return remote.ErrIsDir
	case from == to:
		return nil
	}
	if old, err := r.look(ctx, to); err == nil && old.item.isDir() {
		return remote.ErrIsDir
	} else if err == nil && old.self == f.self {
		return nil
	}
	in, err := r.dir(ctx, to)
	if err != nil {
		return err
	}
	if in.target.drive != f.target.drive {
		return remote.ErrUnsupported
	}
	dir, base := remote.Split(to)
	slot := partname.Name{Owner: partname.PutOwner, Slot: 1 + rand.IntN(1<<30), Base: base}
	hidden := strings.ToValidUTF8(slot.String(), "")
	if err := r.copyTo(quiet(ctx), f, in, hidden); err != nil {
		return err
	}
	return r.publish(ctx, remote.Join(dir, hidden), to, place{in.target.id, r.opt.Encoding.Encode(base)})
}

// publish renames a hidden copy.
func (r *Remote) publish(ctx context.Context, hidden, to string, goes place) error {
	made, err := r.look(ctx, hidden)
	if err != nil {
		return fmt.Errorf("the copy is not to be found: %v", err)
	}
	err = r.rename(ctx, made.self, goes, "")
	if errors.Is(err, remote.ErrExist) {
		err = r.moveOver(ctx, made, goes, to)
	}
	if err != nil {
		discarding, cancel := context.WithTimeout(quiet(context.WithoutCancel(ctx)), sweepTime)
		defer cancel()
		_ = r.delete(discarding, made.self, "") // what stays is swept by a later listing
		return err
	}
	r.known.moved(made.item.ID, to)
	return nil
}

// A newCopy asks for a copy.
type newCopy struct {
	Parent parent `json:"parentReference"`
	Name   string `json:"name"`
}

// copyTo makes a copy of f in a folder, and waits until it is there.
func (r *Remote) copyTo(ctx context.Context, f, in *found, base string) error {
	asks := newCopy{parent{DriveID: in.item.content().Parent.DriveID, ID: in.target.id}, r.opt.Encoding.Encode(base)}
	answer, err := r.api.send(ctx, call{method: http.MethodPost, to: f.target.address() + "/copy", sends: asks})
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusAccepted {
		return refused(answer, r.api.login)
	}
	answer.Body.Close()
	monitor, err := r.api.foreign(answer.Header.Get("Location"))
	if err != nil {
		return err
	}
	return r.await(ctx, monitor)
}

// await returns when a copy is done.
func (r *Remote) await(ctx context.Context, monitor *url.URL) error {
	for wait := firstLook; ; wait = min(2*wait, longLook) {
		var now struct {
			Status string `json:"status"`
			Error  struct {
				Code string `json:"code"`
			} `json:"error"`
		}
		answer, err := r.api.send(ctx, call{method: http.MethodGet, url: monitor, open: true})
		if err != nil {
			return err
		}
		if answer.StatusCode == http.StatusSeeOther || answer.StatusCode == http.StatusFound {
			answer.Body.Close() // to the copy
			return nil
		}
		if answer.StatusCode >= http.StatusMultipleChoices {
			return refused(answer, r.api.login)
		}
		err = decode(answer, &now)
		answer.Body.Close()
		if err != nil {
			return err
		}
		switch now.Status {
		case "completed":
			return nil
		case "failed", "deleteFailed", "deletePending":
			if now.Error.Code == "insufficientStorage" || now.Error.Code == "quotaLimitReached" {
				return remote.ErrNoSpace
			}
			return fmt.Errorf("the service could not copy it: %.60s", now.Error.Code)
		}
		if err := remote.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}
