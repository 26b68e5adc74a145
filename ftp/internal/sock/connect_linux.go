//go:build !386 && !s390x

package sock

import "syscall"

const sysConnect = syscall.SYS_CONNECT
