package objects

import (
	"cmp"
	"mime"
	"path"
)

// ContentType returns the type that the name of a file tells, by the table of this system.
func ContentType(name string) string {
	return cmp.Or(mime.TypeByExtension(path.Ext(name)), "application/octet-stream")
}
