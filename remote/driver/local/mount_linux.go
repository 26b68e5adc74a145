package local

import "golang.org/x/sys/unix"

// isMount reports whether a file system is mounted at dir, which lies in the directory above. Where
// the kernel does not say it, the devices tell.
func isMount(dir, above string) bool {
	var st unix.Statx_t
	if retry(func() error { return unix.Statx(unix.AT_FDCWD, dir, 0, unix.STATX_BASIC_STATS, &st) }) != nil {
		return false
	}
	if st.Attributes_mask&unix.STATX_ATTR_MOUNT_ROOT != 0 {
		return st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
	}
	return otherDevice(dir, above)
}
