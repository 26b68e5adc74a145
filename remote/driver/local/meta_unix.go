//go:build unix

package local

import (
	"io/fs"
	"syscall"
)

func (m *meta) fill(info fs.FileInfo) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		m.ino = uint64(st.Ino)
		m.dev = uint64(st.Dev)
		m.links = uint64(st.Nlink)
		m.uid = st.Uid
		m.gid = st.Gid
	}
}
