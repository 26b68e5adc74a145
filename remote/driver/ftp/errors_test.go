package ftp

import (
	"net/textproto"
	"testing"

	"ferry/remote"
)

// No reply of FTP tells a name that is impossible from one that is not permitted: two of the usual
// servers answer 553 to both.
func TestNoReplyIsAboutTheObject(t *testing.T) {
	for code := 400; code < 600; code++ {
		if remote.RefusesObject(fail("put", "f", &textproto.Error{Code: code, Msg: "no"})) {
			t.Errorf("%d is about the object", code)
		}
	}
}
