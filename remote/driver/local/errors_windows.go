package local

import (
	"syscall"

	"golang.org/x/sys/windows"

	"ferry/remote"
)

// systemSentinel knows the error numbers of one system only.
func systemSentinel(errno syscall.Errno) error {
	switch errno {
	case windows.ERROR_DIR_NOT_EMPTY:
		return remote.ErrNotEmpty
	case windows.ERROR_DIRECTORY:
		return remote.ErrNotDir
	case windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL:
		return remote.ErrNoSpace
	case windows.ERROR_DISK_QUOTA_EXCEEDED:
		return remote.ErrQuota
	case windows.ERROR_INVALID_NAME, windows.ERROR_FILENAME_EXCED_RANGE:
		return remote.ErrBadName
	case windows.ERROR_SHARING_VIOLATION, windows.ERROR_LOCK_VIOLATION, windows.ERROR_WRITE_PROTECT:
		return remote.ErrPermission
	}
	return nil
}
