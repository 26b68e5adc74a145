package gcs

// Resources of the JSON API, as far as this driver uses them.

// An object is sent with what is known of it, and comes with what was asked for.
type object struct {
	Name               string            `json:"name,omitempty"`
	Size               int64             `json:"size,omitempty,string"`
	Generation         int64             `json:"generation,omitempty,string"`
	Updated            string            `json:"updated,omitempty"`
	ContentType        string            `json:"contentType,omitempty"`
	ContentEncoding    string            `json:"contentEncoding,omitempty"`
	ContentLanguage    string            `json:"contentLanguage,omitempty"`
	ContentDisposition string            `json:"contentDisposition,omitempty"`
	CacheControl       string            `json:"cacheControl,omitempty"`
	CustomTime         string            `json:"customTime,omitempty"`
	StorageClass       string            `json:"storageClass,omitempty"`
	MD5                string            `json:"md5Hash,omitempty"`
	CRC32C             string            `json:"crc32c,omitempty"`
	Metadata           map[string]string `json:"metadata,omitempty"`
}

// objectList is a page of objects.
type objectList struct {
	NextPageToken string   `json:"nextPageToken"`
	Prefixes      []string `json:"prefixes"`
	Items         []object `json:"items"`
}

// A rewrite says how far a copy has come.
type rewrite struct {
	Done         bool    `json:"done"`
	RewriteToken string  `json:"rewriteToken"`
	Resource     *object `json:"resource"`
}

// A composition is what an object is to be put together from.
type composition struct {
	Destination   *object  `json:"destination"`
	SourceObjects []source `json:"sourceObjects"`
}

// A source is a piece of a composition; generation 0 is whatever is there.
type source struct {
	Name       string `json:"name"`
	Generation int64  `json:"generation,omitempty,string"`
}

// A bucket is one that is made.
type bucket struct {
	Name         string            `json:"name"`
	Location     string            `json:"location,omitempty"`
	StorageClass string            `json:"storageClass,omitempty"`
	IAM          *iamConfiguration `json:"iamConfiguration,omitempty"`
}

type iamConfiguration struct {
	UniformBucketLevelAccess struct {
		Enabled bool `json:"enabled"`
	} `json:"uniformBucketLevelAccess"`
}

// bucketList is a page of buckets.
type bucketList struct {
	NextPageToken string `json:"nextPageToken"`
	Items         []struct {
		Name string `json:"name"`
	} `json:"items"`
}
