package local

import "io/fs"

func (m *meta) fill(fs.FileInfo) {}
