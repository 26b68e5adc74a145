package gcs

import (
	"context"
	"errors"

	"google.golang.org/api/storage/v1"

	"ferry/remote"
	"ferry/remote/objects"
)

var errNoProject = errors.New("buckets can be listed and made only with the option project_number")

// PageBuckets implements objects.Buckets.
func (s *store) PageBuckets(ctx context.Context, token string) (objects.Page, error) {
	if s.options.ProjectNumber == "" {
		return objects.Page{}, errNoProject
	}
	call := s.service.Buckets.List(s.options.ProjectNumber).Fields("nextPageToken", "items(name)").Context(ctx)
	if token != "" {
		call.PageToken(token)
	}
	answer, err := call.Do()
	if err != nil {
		return objects.Page{}, s.translate(err)
	}
	p := objects.Page{Next: answer.NextPageToken}
	for _, b := range answer.Items {
		p.Objects = append(p.Objects, objects.Object{Name: b.Name, Dir: true})
	}
	return p, nil
}

// MakeBucket implements objects.Buckets.
func (s *store) MakeBucket(ctx context.Context, name string) error {
	o := s.options
	if o.ProjectNumber == "" {
		return errNoProject
	}
	bucket := &storage.Bucket{Name: name, Location: o.Location, StorageClass: o.StorageClass}
	if o.BucketPolicyOnly {
		bucket.IamConfiguration = &storage.BucketIamConfiguration{
			UniformBucketLevelAccess: &storage.BucketIamConfigurationUniformBucketLevelAccess{Enabled: true},
		}
	}
	call := s.service.Buckets.Insert(o.ProjectNumber, bucket).Context(ctx)
	if o.BucketACL != "" && !o.BucketPolicyOnly {
		call.PredefinedAcl(o.BucketACL)
	}
	if o.ObjectACL != "" && !o.BucketPolicyOnly {
		call.PredefinedDefaultObjectAcl(o.ObjectACL)
	}
	_, err := call.Do()
	return s.translate(err)
}

// RemoveBucket implements objects.Buckets.
func (s *store) RemoveBucket(ctx context.Context, name string) error {
	err := s.translate(s.service.Buckets.Delete(name).Context(ctx).Do())
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
