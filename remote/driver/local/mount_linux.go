package local

import "golang.org/x/sys/unix"

// isMount reports whether a file system is mounted at dir, if the kernel says it.
func isMount(dir string) (is, known bool) {
	var st unix.Statx_t
	if retry(func() error { return unix.Statx(unix.AT_FDCWD, dir, 0, unix.STATX_BASIC_STATS, &st) }) != nil {
		return false, true
	}
	const mounted = unix.STATX_ATTR_MOUNT_ROOT
	return st.Attributes&mounted != 0, st.Attributes_mask&mounted != 0
}
