package gcs

import "net/url"

func bucketPath(bucket string) string { return "b/" + url.PathEscape(bucket) }

func objectPath(bucket, name string) string { return bucketPath(bucket) + "/o/" + url.PathEscape(name) }
