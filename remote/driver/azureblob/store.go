package azureblob

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/network"
)

// store is the service behind an objects.Tree.
type store struct {
	*account
	options Options
}

func (s *store) blob(k objects.Key) *blockblob.Client {
	return s.service.NewContainerClient(k.Bucket).NewBlockBlobClient(k.Name)
}

// Head implements objects.Store.
func (s *store) Head(ctx context.Context, k objects.Key) (objects.Object, error) {
	p, err := s.blob(k).GetProperties(ctx, nil)
	if err != nil {
		return objects.Object{}, s.translate(err)
	}
	o := describe(k.Name, p.ContentLength, p.LastModified, p.ETag, p.Metadata)
	o.Facts = &p
	return o, nil
}

// Page implements objects.Store.
func (s *store) Page(ctx context.Context, k objects.Key, token string, limit int) (objects.Page, error) {
	o := &container.ListBlobsHierarchyOptions{Prefix: &k.Name, Include: container.ListBlobsInclude{Metadata: true}}
	if token != "" {
		o.Marker = &token
	}
	if limit == 0 {
		limit = s.options.ListChunk
	}
	if limit > 0 {
		most := int32(limit)
		o.MaxResults = &most
	}
	answer, err := s.service.NewContainerClient(k.Bucket).NewListBlobsHierarchyPager("/", o).NextPage(ctx)
	if err != nil {
		return objects.Page{}, s.translate(err)
	}
	if answer.Segment == nil {
		return objects.Page{}, s.translate(errNoList)
	}
	var p objects.Page
	for _, item := range answer.Segment.BlobItems {
		p.Objects = append(p.Objects, describeItem(item))
	}
	for _, prefix := range answer.Segment.BlobPrefixes {
		p.Prefixes = append(p.Prefixes, *prefix.Name)
	}
	if answer.NextMarker != nil {
		p.Next = *answer.NextMarker
	}
	return p, nil
}

var errNoList = errors.New("the answer is no list")

// All implements objects.Store.
func (s *store) All(ctx context.Context, k objects.Key) iter.Seq2[objects.Object, error] {
	return func(yield func(objects.Object, error) bool) {
		o := &container.ListBlobsFlatOptions{Prefix: &k.Name, Include: container.ListBlobsInclude{Metadata: true}}
		pages := s.service.NewContainerClient(k.Bucket).NewListBlobsFlatPager(o)
		for pages.More() {
			answer, err := pages.NextPage(ctx)
			if err != nil {
				yield(objects.Object{}, s.translate(err))
				return
			}
			if answer.Segment == nil {
				yield(objects.Object{}, s.translate(errNoList))
				return
			}
			for _, item := range answer.Segment.BlobItems {
				if !yield(describeItem(item), nil) {
					return
				}
			}
		}
	}
}

func describeItem(item *container.BlobItem) objects.Object {
	p := item.Properties
	return describe(*item.Name, p.ContentLength, p.LastModified, p.ETag, item.Metadata)
}

// Open implements objects.Store. A read that breaks off goes on where it stopped, in the same
// version of the blob.
func (s *store) Open(ctx context.Context, k objects.Key, off, n int64) (objects.Content, error) {
	o := &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: off, Count: max(remote.ClipLength(off, n), 0)}}
	answer, err := s.blob(k).DownloadStream(ctx, o)
	if hasStatus(err, http.StatusRequestedRangeNotSatisfiable) {
		return objects.Content{ReadCloser: io.NopCloser(strings.NewReader(""))}, nil
	}
	if err != nil {
		return objects.Content{}, s.translate(err)
	}
	length := answer.ContentLength
	if size, ok := wholeSize(answer.ContentRange); ok {
		length = &size
	}
	object := describe(k.Name, length, answer.LastModified, answer.ETag, answer.Metadata)
	object.Digest = remote.NewDigest(remote.MD5, wholeMD5(answer))
	return objects.Content{ReadCloser: &reader{s, answer.NewRetryReader(ctx, nil)}, Object: object}, nil
}

// wholeMD5 returns what is known of the MD5 sum of the whole blob: an answer with a part of it has
// it in another place.
func wholeMD5(answer blob.DownloadStreamResponse) []byte {
	if answer.BlobContentMD5 != nil || answer.ContentRange != nil {
		return answer.BlobContentMD5
	}
	return answer.ContentMD5
}

// wholeSize reads the size of the blob behind the slash of a Content-Range.
func wholeSize(contentRange *string) (int64, bool) {
	if contentRange == nil {
		return 0, false
	}
	_, after, _ := strings.Cut(*contentRange, "/")
	size, err := strconv.ParseInt(after, 10, 64)
	return size, err == nil
}

// A reader translates the errors of reading.
type reader struct {
	store *store
	body  io.ReadCloser
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	if err != nil && err != io.EOF {
		err = r.store.translate(err)
	}
	return n, err
}

func (r *reader) Close() error { return r.body.Close() }

// Delete implements objects.Store.
func (s *store) Delete(ctx context.Context, k objects.Key, version string) error {
	o := &blob.DeleteOptions{}
	if version != "" {
		tag := azcore.ETag(`"` + version + `"`)
		o.AccessConditions = only(&tag)
	}
	if kind := blob.DeleteSnapshotsOptionType(s.options.DeleteSnapshots); kind != "" {
		o.DeleteSnapshots = &kind
	}
	_, err := s.blob(k).Delete(network.Once(ctx), o)
	return s.translate(err)
}

// SetModTime implements objects.Store. The service replaces all metadata at once, so the rest is
// read before, and both are of one version.
func (s *store) SetModTime(ctx context.Context, k objects.Key, t time.Time) error {
	b := s.blob(k)
	return again(func() error {
		p, err := b.GetProperties(ctx, nil)
		if err != nil {
			return s.translate(err)
		}
		_, err = b.SetMetadata(ctx, withModTime(p.Metadata, t), &blob.SetMetadataOptions{AccessConditions: only(p.ETag)})
		return s.translate(err)
	})
}

// rounds is how often something is tried that others come between.
const rounds = 5

// again repeats what looks at a blob first and then finds it replaced.
func again(call func() error) error {
	for n := 1; ; n++ {
		err := call()
		if !errors.Is(err, remote.ErrChanged) || n == rounds {
			return err
		}
	}
}

// only lets a request succeed only while the blob is the one with that tag.
func only(tag *azcore.ETag) *blob.AccessConditions {
	return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: tag}}
}

// version is a tag as objects.Object has it.
func version(tag *azcore.ETag) string {
	if tag == nil {
		return ""
	}
	return strings.Trim(string(*tag), `"`)
}

// Hash implements objects.Store.
func (s *store) Hash(ctx context.Context, k objects.Key, algorithm string) ([]byte, error) {
	if algorithm != "md5" {
		return nil, remote.ErrUnsupported
	}
	p, err := s.blob(k).GetProperties(ctx, nil)
	if err != nil {
		return nil, s.translate(err)
	}
	if len(p.ContentMD5) == 0 {
		return nil, remote.ErrUnsupported
	}
	return p.ContentMD5, nil
}

// describe makes an Object of what answers say; anything may be missing.
func describe(name string, size *int64, changed *time.Time, tag *azcore.ETag, metadata map[string]*string) objects.Object {
	o := objects.Object{Name: name}
	if size != nil {
		o.Size = *size
	}
	if changed != nil {
		o.ModTime = *changed
	}
	if t, ok := modTime(metadata); ok {
		o.ModTime, o.TimeKept = t, true
	}
	o.Version = version(tag)
	o.Dir = isFolder(metadata) && o.Size == 0
	return o
}
