//go:build 386 || s390x

package sock

// sysConnect is connect(2), which package syscall does not have for these processors.
const sysConnect = 362
