package gcs

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"ferry/remote"
	"ferry/remote/driver/internal/google"
	"ferry/remote/driver/internal/objects"
)

var errNoProject = errors.New("buckets can be listed and made only with the option project_number")

// PageBuckets implements objects.Buckets.
func (s *store) PageBuckets(ctx context.Context, token string) (objects.Page, error) {
	if s.options.ProjectNumber == "" {
		return objects.Page{}, errNoProject
	}
	query := url.Values{"project": {s.options.ProjectNumber}, "fields": {"nextPageToken,items(name)"}}
	if token != "" {
		query.Set("pageToken", token)
	}
	var answer bucketList
	if err := s.service.Do(ctx, google.Call{Method: http.MethodGet, Path: "b", Query: query}, &answer); err != nil {
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
	b := bucket{Name: name, Location: o.Location, StorageClass: o.StorageClass}
	if o.BucketPolicyOnly {
		b.IAM = &iamConfiguration{}
		b.IAM.UniformBucketLevelAccess.Enabled = true
	}
	query := url.Values{"project": {o.ProjectNumber}}
	if o.BucketACL != "" && !o.BucketPolicyOnly {
		query.Set("predefinedAcl", o.BucketACL)
	}
	if o.ObjectACL != "" && !o.BucketPolicyOnly {
		query.Set("predefinedDefaultObjectAcl", o.ObjectACL)
	}
	return s.translate(s.service.Do(ctx, google.Call{Method: http.MethodPost, Path: "b", Query: query, Sends: b}, nil))
}

// RemoveBucket implements objects.Buckets.
func (s *store) RemoveBucket(ctx context.Context, name string) error {
	err := s.translate(s.service.Do(ctx, google.Call{Method: http.MethodDelete, Path: bucketPath(name)}, nil))
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
