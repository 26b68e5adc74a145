package gcs

import (
	"context"
	"encoding/base64"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/google"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/network"
)

// fields are what an answer tells of an object.
const fields = "name,size,updated,generation,metadata,md5Hash"

// allFields are what a Head asks for, which may be continued or copied.
const allFields = fields + ",contentType,contentEncoding,contentLanguage,contentDisposition,cacheControl,customTime,storageClass"

// store is the service behind an objects.Tree.
type store struct {
	service *google.Service
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

func (s *store) head(ctx context.Context, k objects.Key) (*object, error) {
	o := new(object)
	err := s.service.Do(ctx, google.Call{
		Method: http.MethodGet,
		Path:   objectPath(k.Bucket, k.Name),
		Query:  url.Values{"fields": {allFields}},
	}, o)
	return o, err
}

// Page implements objects.Store.
func (s *store) Page(ctx context.Context, k objects.Key, token string, limit int) (objects.Page, error) {
	query := url.Values{"prefix": {k.Name}, "delimiter": {"/"}, "fields": {"nextPageToken,prefixes,items(" + fields + ")"}}
	if limit > 0 {
		query.Set("maxResults", strconv.Itoa(limit))
	}
	answer, err := s.list(ctx, k.Bucket, query, token)
	if err != nil {
		return objects.Page{}, s.translate(err)
	}
	p := objects.Page{Prefixes: answer.Prefixes, Next: answer.NextPageToken}
	for i := range answer.Items {
		p.Objects = append(p.Objects, describe(&answer.Items[i]))
	}
	return p, nil
}

// list asks for the page of a list that token names; "" is the first.
func (s *store) list(ctx context.Context, bucket string, query url.Values, token string) (*objectList, error) {
	if token != "" {
		query.Set("pageToken", token)
	}
	page := new(objectList)
	err := s.service.Do(ctx, google.Call{Method: http.MethodGet, Path: bucketPath(bucket) + "/o", Query: query}, page)
	return page, err
}

// All implements objects.Store.
func (s *store) All(ctx context.Context, k objects.Key) iter.Seq2[objects.Object, error] {
	return func(yield func(objects.Object, error) bool) {
		query := url.Values{"prefix": {k.Name}, "fields": {"nextPageToken,items(" + fields + ")"}}
		for token := ""; ; {
			answer, err := s.list(ctx, k.Bucket, query, token)
			if err != nil {
				yield(objects.Object{}, s.translate(err))
				return
			}
			for i := range answer.Items {
				if !yield(describe(&answer.Items[i]), nil) {
					return
				}
			}
			if token = answer.NextPageToken; token == "" {
				return
			}
		}
	}
}

// Copy implements objects.Store. The service wants to be asked again until it is done. It copies
// the facts, unless it is told another storage class: then all of them have to be told.
func (s *store) Copy(ctx context.Context, from objects.Key, known objects.Object, to objects.Key) (string, error) {
	c := google.Call{Method: http.MethodPost, Query: url.Values{}}
	c.Path = objectPath(from.Bucket, from.Name) + "/rewriteTo/" + objectPath(to.Bucket, to.Name)
	if s.options.StorageClass != "" {
		source, err := s.head(ctx, from)
		if err != nil {
			return "", s.translate(err)
		}
		facts := s.keptFacts(to, source)
		facts.Metadata = source.Metadata
		c.Sends = facts
	}
	if err := setGeneration(c.Query, "ifSourceGenerationMatch", known.Version); err != nil {
		return "", err
	}
	s.setACL(c.Query, "destinationPredefinedAcl")
	for {
		var answer rewrite
		err := s.service.Do(ctx, c, &answer)
		switch {
		case err != nil:
			return "", s.translate(err)
		case answer.Done && answer.Resource != nil:
			return version(answer.Resource.Generation), nil
		case answer.Done:
			return "", nil
		}
		c.Query.Set("rewriteToken", answer.RewriteToken)
	}
}

// Delete implements objects.Store.
func (s *store) Delete(ctx context.Context, k objects.Key, version string) error {
	c := google.Call{Method: http.MethodDelete, Path: objectPath(k.Bucket, k.Name), Query: url.Values{}}
	if err := setGeneration(c.Query, "ifGenerationMatch", version); err != nil {
		return err
	}
	return s.translate(s.service.Do(network.Once(ctx), c, nil))
}

// SetModTime implements objects.Store. Other metadata stay.
func (s *store) SetModTime(ctx context.Context, k objects.Key, t time.Time) error {
	return s.translate(s.service.Do(ctx, google.Call{
		Method: http.MethodPatch,
		Path:   objectPath(k.Bucket, k.Name),
		Query:  url.Values{"fields": {"name"}},
		Sends:  object{Metadata: withModTime(t)},
	}, nil))
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
	sum, err := base64.StdEncoding.DecodeString(o.MD5)
	if err != nil || len(sum) == 0 {
		return nil, remote.ErrUnsupported
	}
	return sum, nil
}

func describe(o *object) objects.Object {
	t, kept := modTime(o)
	return objects.Object{
		Name:     o.Name,
		Size:     o.Size,
		ModTime:  t,
		TimeKept: kept,
		Version:  version(o.Generation),
	}
}

func version(generation int64) string { return strconv.FormatInt(generation, 10) }

// setGeneration makes a version a condition of a call, "" makes none. A version that the service
// never gave is that of no object.
func setGeneration(query url.Values, condition, version string) error {
	if version == "" {
		return nil
	}
	if _, err := strconv.ParseInt(version, 10, 64); err != nil {
		return remote.ErrChanged
	}
	query.Set(condition, version)
	return nil
}

// setACL says who may reach what a call makes, where that is configured.
func (s *store) setACL(query url.Values, parameter string) {
	if acl := s.objectACL(); acl != "" {
		query.Set(parameter, acl)
	}
}
