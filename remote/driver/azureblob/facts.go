package azureblob

import (
	"context"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"ferry/remote/driver/internal/objects"
)

// properties are what a blob says of itself.
type properties = blob.GetPropertiesResponse

// facts are what a blob is stored with besides its content.
type facts struct {
	headers    *blob.HTTPHeaders
	metadata   map[string]*string
	tags       map[string]string
	tier       *blob.AccessTier
	conditions *blob.AccessConditions
}

func (d *draft) facts(modTime time.Time) facts {
	contentType := objects.ContentType(d.target.Name)
	f := facts{
		headers:  &blob.HTTPHeaders{BlobContentType: &contentType},
		metadata: withModTime(nil, modTime),
		tier:     d.store.tier(),
	}
	if d.kept != nil {
		f.headers, f.tags = headersOf(d.kept), d.tags
		f.headers.BlobContentMD5 = nil
		f.metadata = withModTime(d.kept.Metadata, modTime)
		f.tier = d.store.tierOf(d.kept)
	}
	if d.base != nil {
		f.conditions = only(d.base)
	}
	if d.only != nil {
		f.conditions = d.precondition()
	}
	return f
}

// headersOf returns those of a blob that is to be like another one.
func headersOf(p *properties) *blob.HTTPHeaders {
	return &blob.HTTPHeaders{
		BlobContentType:        p.ContentType,
		BlobContentMD5:         p.ContentMD5,
		BlobContentEncoding:    p.ContentEncoding,
		BlobContentLanguage:    p.ContentLanguage,
		BlobContentDisposition: p.ContentDisposition,
		BlobCacheControl:       p.CacheControl,
	}
}

// tierOf returns the tier of a blob that is to be like another one, nil for the one of the account.
// The option comes first.
func (s *store) tierOf(p *properties) *blob.AccessTier {
	inferred := p.AccessTierInferred != nil && *p.AccessTierInferred
	if s.options.AccessTier != "" || p.AccessTier == nil || inferred {
		return s.tier()
	}
	tier := blob.AccessTier(*p.AccessTier)
	return &tier
}

func (s *store) tier() *blob.AccessTier {
	if s.options.AccessTier == "" {
		return nil
	}
	tier := blob.AccessTier(s.options.AccessTier)
	return &tier
}

// tagsOf asks for the tags of a blob, where it has any.
func (s *store) tagsOf(ctx context.Context, client *blockblob.Client, p *properties) (map[string]string, error) {
	if p.TagCount == nil || *p.TagCount == 0 {
		return nil, nil
	}
	answer, err := client.GetTags(ctx, nil)
	if err != nil {
		return nil, s.translate(err)
	}
	tags := map[string]string{}
	for _, tag := range answer.BlobTagSet {
		tags[*tag.Key] = *tag.Value
	}
	return tags, nil
}
