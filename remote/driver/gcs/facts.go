package gcs

import (
	"cmp"
	"time"

	"ferry/remote/driver/internal/objects"
)

// facts are what a new object is stored with besides its content. A time that is not known yet is
// not stored.
func (s *store) facts(k objects.Key, modTime time.Time) *object {
	o := &object{
		ContentType:  objects.ContentType(k.Name),
		StorageClass: s.options.StorageClass,
	}
	if !modTime.IsZero() {
		o.Metadata = withModTime(modTime)
	}
	return o
}

// keptFacts are those of an object that continues another one. The modification time is not among
// them.
func (s *store) keptFacts(k objects.Key, base *object) *object {
	o := s.facts(k, time.Time{})
	o.ContentType = cmp.Or(base.ContentType, o.ContentType)
	o.StorageClass = cmp.Or(o.StorageClass, base.StorageClass)
	o.ContentEncoding = base.ContentEncoding
	o.ContentLanguage = base.ContentLanguage
	o.ContentDisposition = base.ContentDisposition
	o.CacheControl = base.CacheControl
	o.CustomTime = base.CustomTime
	o.Metadata = withoutModTime(base.Metadata)
	return o
}
