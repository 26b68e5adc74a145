package registry

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/s3"
	"ferry/remote/nameenc"
)

func s3Driver() Driver {
	return Driver{
		Type: config.Type{
			Name: "s3",
			Help: "Amazon S3, and servers that speak its protocol: Minio, Ceph, Wasabi, Cloudflare, ...",
			Options: together([]config.Option{
				{Name: "provider", Help: "Whose server it is, one of the list below; empty is AWS, Other is any that is not in it"},
				{Name: "env_auth", Default: "false", Help: "Take the keys from AWS_* variables, the shared credentials file or the machine's role"},
				{Name: "access_key_id", Secret: true, Help: "Key ID; without one requests are not signed"},
				{Name: "secret_access_key", Secret: true, Help: "Secret key"},
				{Name: "session_token", Secret: true, Help: "Token of temporary keys"},
				{Name: "profile", Help: "Profile in the shared credentials file; empty is AWS_PROFILE or default"},
				{Name: "shared_credentials_file", Help: "The shared credentials file; empty is the usual place"},
				{Name: "role_arn", Help: "Role to take on with the keys, as arn:aws:iam::123456789012:role/name"},
				{Name: "role_external_id", Help: "External ID that the owner of the role asks for"},
				{Name: "role_session_name", Default: "ferry", Help: "Name of the session, for the logs of the service"},
				{Name: "role_session_duration", Help: "Time for which keys of the role are asked for; empty is as the service likes it"},
				{Name: "sts_endpoint", Help: "URL of the service that gives keys of roles; empty is Amazon's of the region, or the server itself"},
				{Name: "region", Help: "Region of the bucket; empty is us-east-1, or on AWS asked for"},
				{Name: "endpoint", Help: "Host, host:port or URL of the server; needed unless it is AWS"},
				{Name: "location_constraint", Help: "Region of new buckets; empty is region"},
				{Name: "acl", Help: "Who may use new objects, as private or public-read"},
				{Name: "bucket_acl", Help: "Who may use new buckets; empty is acl"},
				{Name: "storage_class", Help: "Class of new objects, as STANDARD_IA"},
				{Name: "server_side_encryption", Help: "Let the server encrypt new objects: AES256 or aws:kms"},
				{Name: "sse_kms_key_id", Help: "Key to use with aws:kms"},
				{Name: "sse_customer_key", Secret: true, Help: "Key of 32 bytes that the server encrypts with and does not keep"},
				{Name: "sse_customer_key_base64", Secret: true, Help: "The same key in base64"},
				{Name: "sse_customer_key_md5", Help: "MD5 sum of that key in base64, to find mistakes in it"},
				{Name: "force_path_style", Switch: true, Help: "true: the bucket is in the path of URLs; false: in the host; empty: as the provider likes it"},
				{Name: "v2_auth", Default: "false", Help: "Sign requests by version 2, for old servers"},
				{Name: "list_version", Default: "0", Help: "Version of the list request, 1 or 2; 0 is as the provider likes it"},
				{Name: "list_chunk", Default: "1000", Help: "Entries that a list request asks for"},
				{Name: "chunk_size", Default: "5Mi", Help: "Length of the parts that a file is uploaded in, unless there would be more than a thousand; shorter ones are one request"},
				{Name: "upload_concurrency", Default: "4", Help: "Parts of one file that are sent at once"},
				{Name: "max_upload_parts", Default: "10000", Help: "Parts that a file may have"},
				{Name: "copy_cutoff", Default: "4.656Gi", Help: "Files above are copied in parts of that length"},
				{Name: "leave_parts_on_error", Default: "false", Help: "Leave the parts of an upload that failed"},
				{Name: "use_unsigned_payload", Help: "Leave the content out of the signature; its MD5 sum is sent instead"},
				{Name: "disable_checksum", Default: "false", Help: "Do not send that MD5 sum either"},
				{Name: "use_accelerate_endpoint", Default: "false", Help: "Use Amazon's accelerated endpoint"},
				{Name: "use_dual_stack", Default: "false", Help: "Use Amazon's endpoint with IPv6"},
				{Name: "no_check_bucket", Switch: true, Help: "It is always so: no bucket is asked for or made by an upload"},
				{Name: "no_head", Switch: true, Help: "It is always so: an upload is not asked for afterwards"},
				{Name: "upload_cutoff", Help: "Nothing depends on it: what fits chunk_size is one request"},
				{Name: "use_server_modtime", Default: "false", Help: "Show the time of the upload, whatever modification time was set"},
				{Name: "directory_markers", Default: "true", Help: "Keep empty directories as objects whose names end in /"},
				dirMoveLimit(),
				oddNames(),
				{Name: "max_name", Default: "0", Help: "Longest name in bytes, for servers that keep objects as files (255); 0 is no limit"},
				{Name: "encoding", Default: "Slash,InvalidUtf8,Dot", Help: "What in names is written with other characters"},
			},
				keptParts(),
				unused("the protocol needs none of it", "use_x_id", "sign_accept_encoding", "use_accept_encoding_gzip", "might_gzip", "use_already_exists",
					"use_data_integrity_protections", "use_multipart_etag", "use_multipart_uploads", "sdk_log_mode"),
				unused("it is always so", "disable_http2?", "no_head_object?", "no_system_metadata?", "sse_customer_algorithm"),
				unused("names are asked for so that nothing in them is lost", "list_url_encode"),
				ignored(noDecompress, "decompress?"),
				ignored("what is served is the newest version", "versions?", "version_at", "version_deleted?", "list_versions_oldest_first"),
				ignored("objects are not locked: set a rule of the bucket", "bucket_object_lock_enabled?", "bypass_governance_retention?", "object_lock_mode",
					"object_lock_retain_until_date", "object_lock_legal_hold_status", "object_lock_set_after_upload?", "object_lock_supported"),
				ignored("requests are paid by the owner of the bucket", "requester_pays?"),
				ignored("requests are signed in their header, and go to endpoint", "use_presigned_request?", "use_arn_region?", "download_url", "directory_bucket?"),
				ignored("there is no login of that kind: use an access key", "ibm_api_key", "ibm_iam_endpoint", "ibm_resource_instance_id"),
				unused(noMemory, "memory_pool_flush_time", "memory_pool_use_mmap"),
			),
			Notes: s3Providers(),
		},
		open: openS3,
	}
}

// s3Providers is the list of providers for help.
func s3Providers() string {
	var b strings.Builder
	b.WriteString("Providers, the servers that each has, and what is not as at Amazon's. Where a server is known, endpoint may be\n" +
		"left out: REGION is the option region.\n\n")
	for _, p := range s3.Providers() {
		fmt.Fprintf(&b, "  %-15s %s\n", p.Name, strings.Join(slices.DeleteFunc([]string{p.About, p.Endpoint, p.Notes()},
			func(s string) bool { return s == "" }), "; "))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// s3Provider returns the option provider, and refuses a name that is not in the list.
func (v *values) s3Provider() string {
	name := v.str("provider")
	var known []string
	for _, p := range s3.Providers() {
		if name == "" || strings.EqualFold(p.Name, name) {
			return name
		}
		known = append(known, p.Name)
	}
	if v.err == nil {
		meant := ""
		if near := config.Nearest(name, known); near != "" {
			meant = fmt.Sprintf(": did you mean %s?", near)
		}
		v.err = fmt.Errorf("remote %s: there is no provider %q%s (Other is any that is not known; ferry help backend s3 lists all)", v.remote, name, meant)
	}
	return name
}

func openS3(ctx context.Context, path string, v *values) (remote.Remote, error) {
	o := s3.Options{
		Network:         v.env.Network,
		Provider:        v.s3Provider(),
		Endpoint:        v.str("endpoint"),
		Region:          v.str("region"),
		AccessKeyID:     v.str("access_key_id"),
		SecretAccessKey: v.str("secret_access_key"),
		SessionToken:    v.str("session_token"),
		EnvAuth:         v.boolean("env_auth"),
		CredentialsFile: v.str("shared_credentials_file"),
		Profile:         v.str("profile"),
		V2Auth:          v.boolean("v2_auth"),
		Role: s3.Role{
			ARN:         v.str("role_arn"),
			ExternalID:  v.str("role_external_id"),
			SessionName: v.str("role_session_name"),
			Duration:    v.duration("role_session_duration"),
			Endpoint:    v.str("sts_endpoint"),
		},
		ListVersion:          v.integer("list_version"),
		ListChunk:            v.integer("list_chunk"),
		ChunkSize:            v.size("chunk_size"),
		Concurrency:          v.integer("upload_concurrency"),
		MaxParts:             v.integer("max_upload_parts"),
		CopyCutoff:           v.size("copy_cutoff"),
		LeaveParts:           v.boolean("leave_parts_on_error"),
		UnsignedPayload:      v.boolean("use_unsigned_payload"),
		DisableChecksum:      v.boolean("disable_checksum"),
		Accelerate:           v.boolean("use_accelerate_endpoint"),
		DualStack:            v.boolean("use_dual_stack"),
		ACL:                  v.str("acl"),
		BucketACL:            v.str("bucket_acl"),
		StorageClass:         v.str("storage_class"),
		LocationConstraint:   v.str("location_constraint"),
		ServerSideEncryption: v.str("server_side_encryption"),
		KMSKeyID:             v.str("sse_kms_key_id"),
		CustomerKey:          v.str("sse_customer_key"),
		CustomerKeyBase64:    v.str("sse_customer_key_base64"),
		CustomerKeyMD5:       v.str("sse_customer_key_md5"),
		DirMoveLimit:         v.integer("dir_move_limit"),
		NoMarkers:            !v.boolean("directory_markers"),
		ServerModTime:        v.boolean("use_server_modtime"),
		MaxName:              v.integer("max_name"),
		Encoding:             parse(v, "encoding", nameenc.Parse),
		OddNames:             parse(v, "odd_names", parseOddNames),
		DropParts:            !v.boolean("keep_parts"),
		PartMaxAge:           v.duration("partial_max_age"),
	}
	if v.str("force_path_style") != "" {
		pathStyle := parse(v, "force_path_style", strconv.ParseBool)
		o.PathStyle = &pathStyle
	}
	if v.err != nil {
		return nil, v.err
	}
	return s3.New(ctx, path, o)
}
