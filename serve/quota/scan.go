package quota

import (
	"context"

	"ferry/ftp"
)

// Scan counts the files of a tree and their bytes. Files of an unknown size count as empty, and
// unfinished uploads not at all. What changes meanwhile may be counted or not.
func Scan(ctx context.Context, tree ftp.FS) (Usage, error) {
	var u Usage
	dirs := []string{"."}
	for len(dirs) > 0 {
		dir := dirs[len(dirs)-1]
		dirs = dirs[:len(dirs)-1]
		for info, err := range tree.List(ctx, dir) {
			if err != nil {
				return Usage{}, err
			}
			name := info.Name()
			if dir != "." {
				name = dir + "/" + name
			}
			if info.IsDir() {
				dirs = append(dirs, name)
				continue
			}
			if p, may := info.(ftp.Partial); may && p.Unfinished() {
				continue
			}
			u.Files++
			u.Bytes += max(info.Size(), 0)
		}
	}
	return u, nil
}
