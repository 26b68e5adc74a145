//go:build unix

package local

import (
	"io/fs"
	"syscall"
	"testing"

	"ferry/remote"
)

func TestWhichErrorsAreAboutTheObject(t *testing.T) {
	for errno, about := range map[syscall.Errno]bool{
		syscall.ENAMETOOLONG: true, syscall.EILSEQ: true, syscall.EFBIG: true, syscall.EISDIR: true, syscall.ENOTDIR: true,
		syscall.ENOENT: false, syscall.EACCES: false, syscall.EPERM: false, syscall.EROFS: false, syscall.ENOSPC: false, syscall.EDQUOT: false,
		syscall.EIO: false, syscall.EMFILE: false, syscall.ENFILE: false, syscall.ENOMEM: false, syscall.ENOTCONN: false, syscall.ESTALE: false,
		syscall.EBUSY: false, syscall.ETXTBSY: false, syscall.EXDEV: false, syscall.ELOOP: false, syscall.EINVAL: false,
	} {
		if got := remote.RefusesObject(fail("put", "f", &fs.PathError{Op: "open", Path: "f", Err: errno})); got != about {
			t.Errorf("%v is about the object: %t", errno, got)
		}
	}
}
