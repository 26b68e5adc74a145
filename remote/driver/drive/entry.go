package drive

import (
	"encoding/hex"
	"hash/fnv"

	"ferry/remote"
)

// An item is what a name is.
type item struct {
	*file          // what has the name
	others []*file // of the same name, that do not count
}

// entry describes what is called base: f, or content where f is a shortcut to that.
func (r *Remote) entry(base string, f, content *file) remote.Entry {
	e := remote.Entry{Name: base, ModTime: readTime(content.ModifiedTime), ID: number(content.ID)}
	may := content.Capabilities
	switch {
	case f.isFolder():
		e.Dir = true
		e.ReadOnly = may != nil && !may.CanAddChildren
	case content.isDocument():
		e.Size, e.ReadOnly = -1, true
		e.Version = content.ModifiedTime
	default:
		e.Size = -1
		if content.Size != nil {
			e.Size = *content.Size
		}
		e.ReadOnly = may != nil && !may.CanModifyContent
		e.Version = content.HeadRevisionID
		if sum, err := hex.DecodeString(content.MD5); err == nil {
			e.Digest = remote.NewDigest(remote.MD5, sum)
		}
	}
	if r.readOnly() {
		e.ReadOnly = true
	}
	return e
}

// number makes an ID of that of a file.
func number(id string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return h.Sum64()
}
