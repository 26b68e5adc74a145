package dropbox

import (
	"context"
	"fmt"

	"ferry/budget"
)

// An upload is a content on its way to a session, which nobody sees.
type upload struct {
	service *service
	memory  *budget.Upload
	session string // "" = it was not begun
	sent    int64  // bytes that the session has
	sum     contentHash
}

type sessionCursor struct {
	ID     string `json:"session_id"`
	Offset int64  `json:"offset"`
}

// send adds a chunk, with last as the end of the content. It is sent until Dropbox has it: nobody
// above can send it again.
func (u *upload) send(ctx context.Context, chunk []byte, last bool) error {
	done := u.memory.Sent()
	sum := u.sum.add(chunk)
	var err error
	if u.session == "" {
		err = u.start(ctx, chunk, sum, last)
	} else {
		err = u.append(ctx, chunk, sum, last)
	}
	if err != nil {
		return err // the request may still read the chunk, which is accounted for until the end
	}
	done()
	u.sent += int64(len(chunk))
	return nil
}

// start begins the session with a chunk. One that is begun in vain expires.
func (u *upload) start(ctx context.Context, chunk []byte, sum string, last bool) error {
	var began struct {
		ID string `json:"session_id"`
	}
	arg := map[string]any{"close": last, "content_hash": sum}
	if err := u.service.send(ctx, "files/upload_session/start", arg, chunk, onceReached, &began); err != nil {
		return err
	}
	if began.ID == "" {
		return errMalformed
	}
	u.session = began.ID
	return nil
}

// append continues the session. Where it has more than was confirmed, an answer was lost.
func (u *upload) append(ctx context.Context, chunk []byte, sum string, last bool) error {
	off := u.sent
	end := off + int64(len(chunk))
	for range 3 { // a chunk that is taken in parts
		arg := map[string]any{"cursor": sessionCursor{u.session, off}, "close": last, "content_hash": sum}
		err := u.service.send(ctx, "files/upload_session/append_v2", arg, chunk, always, nil)
		switch {
		case err == nil:
			return nil
		case last && has(err, "closed"): // it came, and closed the session
			return nil
		case !has(err, "incorrect_offset"):
			return err
		}
		at := offsetOf(err)
		if at == end && !last {
			return nil
		}
		if at < off || at > end {
			return fmt.Errorf("the server has %d bytes of an upload of which %d to %d were sent: %w", at, off, end, err)
		}
		chunk = chunk[at-off:]
		off = at
		var part contentHash
		sum = part.add(chunk)
	}
	return fmt.Errorf("the server does not take the end of an upload, from byte %d on", off)
}
