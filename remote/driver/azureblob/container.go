package azureblob

import (
	"context"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// PageBuckets implements objects.Buckets.
func (s *store) PageBuckets(ctx context.Context, token string) (objects.Page, error) {
	o := &service.ListContainersOptions{}
	if token != "" {
		o.Marker = &token
	}
	answer, err := s.service.NewListContainersPager(o).NextPage(ctx)
	if err != nil {
		return objects.Page{}, s.translate(err)
	}
	var p objects.Page
	for _, item := range answer.ContainerItems {
		p.Objects = append(p.Objects, objects.Object{Name: *item.Name, Dir: true})
	}
	if answer.NextMarker != nil {
		p.Next = *answer.NextMarker
	}
	return p, nil
}

// MakeBucket implements objects.Buckets.
func (s *store) MakeBucket(ctx context.Context, name string) error {
	o := &service.CreateContainerOptions{}
	if access := container.PublicAccessType(s.options.PublicAccess); access != "" {
		o.Access = &access
	}
	_, err := s.service.CreateContainer(ctx, name, o)
	return s.translate(err)
}

// RemoveBucket implements objects.Buckets. The service would remove a container with all that is in
// it.
func (s *store) RemoveBucket(ctx context.Context, name string) error {
	k, token := objects.Key{Bucket: name}, ""
	for {
		p, err := s.Page(ctx, k, token, 1)
		if err != nil {
			return err
		}
		if len(p.Objects)+len(p.Prefixes) > 0 {
			return remote.ErrNotEmpty
		}
		if token = p.Next; token == "" {
			break
		}
	}
	_, err := s.service.DeleteContainer(ctx, name, nil)
	if err = s.translate(err); errors.Is(err, remote.ErrExist) {
		return remote.ErrNotEmpty
	}
	return err
}
