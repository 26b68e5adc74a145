package gcs

import (
	"context"
	"errors"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"

	"ferry/remote"
	"ferry/remote/objects"
)

var errNoProject = errors.New("buckets can be listed and made only with the option project_number")

// PageBuckets implements objects.Buckets.
func (s *store) PageBuckets(ctx context.Context, token string) (objects.Page, error) {
	if s.options.ProjectNumber == "" {
		return objects.Page{}, errNoProject
	}
	it := s.client.Buckets(ctx, s.options.ProjectNumber)
	info := it.PageInfo()
	info.Token = token
	var p objects.Page
	for {
		attrs, err := it.Next()
		if errors.Is(err, iterator.Done) {
			return p, nil
		}
		if err != nil {
			return objects.Page{}, s.translate(err)
		}
		p.Objects = append(p.Objects, objects.Object{Name: attrs.Name, Dir: true})
		if info.Remaining() == 0 {
			p.Next = info.Token
			return p, nil
		}
	}
}

// MakeBucket implements objects.Buckets.
func (s *store) MakeBucket(ctx context.Context, name string) error {
	if s.options.ProjectNumber == "" {
		return errNoProject
	}
	attrs := &storage.BucketAttrs{Location: s.options.Location, StorageClass: s.options.StorageClass}
	if s.options.BucketPolicyOnly {
		attrs.UniformBucketLevelAccess.Enabled = true
	} else {
		attrs.PredefinedACL = s.options.BucketACL
		attrs.PredefinedDefaultObjectACL = s.options.ObjectACL
	}
	return s.translate(s.bucket(name).Create(ctx, s.options.ProjectNumber, attrs))
}

// RemoveBucket implements objects.Buckets.
func (s *store) RemoveBucket(ctx context.Context, name string) error {
	err := s.translate(s.bucket(name).Delete(ctx))
	if errors.Is(err, remote.ErrExist) { // 409 here means that it is not empty
		return remote.ErrNotEmpty
	}
	return err
}

func (s *store) objectACL() string {
	if s.options.BucketPolicyOnly {
		return ""
	}
	return s.options.ObjectACL
}
