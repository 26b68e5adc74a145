package sftp

import (
	"errors"
	"strings"
	"testing"

	"github.com/pkg/sftp"

	"ferry/remote"
)

// A server that only says that it does not like a request means the name where that is longer than
// any file system takes.
func TestWhichAnswersAreAboutTheObject(t *testing.T) {
	long := "d/" + strings.Repeat("x", 256)
	for code := uint32(1); code < 32; code++ {
		status := &sftp.StatusError{Code: code}
		if remote.RefusesObject(fail("put", "f", status)) {
			t.Errorf("status %d is about the object", code)
		}
		if got := remote.RefusesObject(fail("put", long, status)); got != errors.Is(fail("put", "f", status), remote.ErrInvalid) {
			t.Errorf("with a long name status %d is about the object: %t", code, got)
		}
	}
}
