package gcs

import (
	"context"
	"encoding/base64"
	"iter"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/api/storage/v1"

	"ferry/remote"
	"ferry/remote/network"
	"ferry/remote/objects"
)

// fields are what an answer tells of an object.
const fields = "name,size,updated,generation,metadata,md5Hash"

// allFields are what a Head asks for, which may be continued or copied.
const allFields = fields + ",contentType,contentEncoding,contentLanguage,contentDisposition,cacheControl,customTime,storageClass"

// store is the service behind an objects.Tree.
type store struct {
	service *storage.Service
	client  *http.Client
	host    string
	options Options
}

// Head implements objects.Store.
func (s *store) Head(ctx context.Context, k objects.Key) (objects.Object, error) {
	o, err := s.head(ctx, k)
	if err != nil {
		return objects.Object{}, s.translate(err)
	}
	object := describe(o)
	object.Facts = o
	return object, nil
}

func (s *store) head(ctx context.Context, k objects.Key) (*storage.Object, error) {
	return s.service.Objects.Get(k.Bucket, k.Name).Fields(allFields).Context(ctx).Do()
}

// Page implements objects.Store.
func (s *store) Page(ctx context.Context, k objects.Key, token string, limit int) (objects.Page, error) {
	call := s.service.Objects.List(k.Bucket).Prefix(k.Name).Delimiter("/").Context(ctx).
		Fields("nextPageToken", "prefixes", "items("+fields+")")
	if token != "" {
		call.PageToken(token)
	}
	if limit > 0 {
		call.MaxResults(int64(limit))
	}
	answer, err := call.Do()
	if err != nil {
		return objects.Page{}, s.translate(err)
	}
	p := objects.Page{Prefixes: answer.Prefixes, Next: answer.NextPageToken}
	for _, o := range answer.Items {
		p.Objects = append(p.Objects, describe(o))
	}
	return p, nil
}

// All implements objects.Store.
func (s *store) All(ctx context.Context, k objects.Key) iter.Seq2[objects.Object, error] {
	return func(yield func(objects.Object, error) bool) {
		call := s.service.Objects.List(k.Bucket).Prefix(k.Name).Context(ctx).Fields("nextPageToken", "items("+fields+")")
		for {
			answer, err := call.Do()
			if err != nil {
				yield(objects.Object{}, s.translate(err))
				return
			}
			for _, o := range answer.Items {
				if !yield(describe(o), nil) {
					return
				}
			}
			if answer.NextPageToken == "" {
				return
			}
			call.PageToken(answer.NextPageToken)
		}
	}
}

// Copy implements objects.Store. The service wants to be asked again until it is done. It copies the facts, unless it is told
// another storage class: then all of them have to be told.
func (s *store) Copy(ctx context.Context, from objects.Key, wanted string, to objects.Key) (string, error) {
	var facts *storage.Object
	if s.options.StorageClass != "" {
		source, err := s.head(ctx, from)
		if err != nil {
			return "", s.translate(err)
		}
		facts = s.keptFacts(to, source)
		facts.Metadata = source.Metadata
	}
	call := s.service.Objects.Rewrite(from.Bucket, from.Name, to.Bucket, to.Name, facts).Context(ctx)
	if wanted != "" {
		generation, err := generation(wanted)
		if err != nil {
			return "", err
		}
		call.IfSourceGenerationMatch(generation)
	}
	if acl := s.objectACL(); acl != "" {
		call.DestinationPredefinedAcl(acl)
	}
	for {
		answer, err := call.Do()
		switch {
		case err != nil:
			return "", s.translate(err)
		case answer.Done && answer.Resource != nil:
			return version(answer.Resource.Generation), nil
		case answer.Done:
			return "", nil
		}
		call.RewriteToken(answer.RewriteToken)
	}
}

// Delete implements objects.Store.
func (s *store) Delete(ctx context.Context, k objects.Key, version string) error {
	call := s.service.Objects.Delete(k.Bucket, k.Name).Context(network.Once(ctx))
	if version != "" {
		generation, err := generation(version)
		if err != nil {
			return err
		}
		call.IfGenerationMatch(generation)
	}
	return s.translate(call.Do())
}

// SetModTime implements objects.Store. Other metadata stay.
func (s *store) SetModTime(ctx context.Context, k objects.Key, t time.Time) error {
	change := &storage.Object{Metadata: withModTime(t)}
	_, err := s.service.Objects.Patch(k.Bucket, k.Name, change).Fields("name").Context(ctx).Do()
	return s.translate(err)
}

// Hash implements objects.Store. Composed objects have no MD5.
func (s *store) Hash(ctx context.Context, k objects.Key, algorithm string) ([]byte, error) {
	if algorithm != "md5" {
		return nil, remote.ErrUnsupported
	}
	o, err := s.head(ctx, k)
	if err != nil {
		return nil, s.translate(err)
	}
	sum, err := base64.StdEncoding.DecodeString(o.Md5Hash)
	if err != nil || len(sum) == 0 {
		return nil, remote.ErrUnsupported
	}
	return sum, nil
}

func describe(o *storage.Object) objects.Object {
	t, kept := modTime(o)
	return objects.Object{
		Name:     o.Name,
		Size:     int64(o.Size),
		ModTime:  t,
		TimeKept: kept,
		Version:  version(o.Generation),
	}
}

func version(generation int64) string { return strconv.FormatInt(generation, 10) }

// generation is the reverse of version. One that the service never gave is that of no object.
func generation(version string) (int64, error) {
	n, err := strconv.ParseInt(version, 10, 64)
	if err != nil {
		return 0, remote.ErrChanged
	}
	return n, nil
}
