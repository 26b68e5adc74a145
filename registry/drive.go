package registry

import (
	"context"

	"golang.org/x/oauth2"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/drive"
	"ferry/remote/nameenc"
)

func driveDriver() Driver {
	return Driver{
		Type: config.Type{
			Name: "drive",
			Help: "Google Drive: the files of an account, or a shared drive",
			Options: together(append(oauthOptions(), []config.Option{
				{Name: "scope", Default: "drive", Help: "What a login may do: drive, drive.readonly, drive.file, drive.appfolder, drive.metadata.readonly"},
				{Name: "service_account_file", Help: "File with the JSON key of a service account, in place of a login"},
				{Name: "service_account_credentials", Secret: true, Help: "The JSON key of a service account itself"},
				{Name: "impersonate", Help: "The user on whose behalf a service account acts"},
				{Name: "env_auth", Default: "false", Help: "Use the credentials that the environment or the machine offers"},
				{Name: "root_folder_id", Help: "Id of the folder that is the root; empty is that of the account or of the shared drive"},
				{Name: "team_drive", Help: "Id of the shared drive to serve"},
				{Name: "shared_with_me", Default: "false", Help: "Serve what others share with the account; nothing can be made at the top"},
				{Name: "trashed_only", Default: "false", Help: "Serve what is in the trash, in its folders; nothing can be changed"},
				{Name: "use_trash", Default: "true", Help: "Put what is removed into the trash, not delete it for good"},
				{Name: "skip_shortcuts", Default: "false", Help: "Leave out shortcuts"},
				{Name: "skip_gdocs", Default: "false", Help: "Leave out documents of Google"},
				{Name: "export_formats", Default: "docx,xlsx,pptx,svg", Help: "What documents of Google are read as: the first of each kind of document"},
				{Name: "acknowledge_abuse", Default: "false", Help: "Read files that the service thinks dangerous"},
				{Name: "keep_revision_forever", Default: "false", Help: "Keep the old contents of each file for ever"},
				{Name: "chunk_size", Default: "8Mi", Help: "How much is sent at a time, a multiple of 256Ki; each upload under way takes that much memory"},
				{Name: "upload_cutoff", Default: "5Mi", Help: "Up to which size a file is sent in one request; more than 5Mi is 5Mi"},
				{Name: "list_chunk", Default: "1000", Help: "Entries asked for at a time"},
				{Name: "endpoint", Help: "Another server with the same interface: https://host:port"},
				{Name: "encoding", Default: drive.Encoding.String(), Help: "What is encoded in names"},
			}...),
				unused(noTuning, "pacer_min_sleep", "pacer_burst", "disable_http2?", "v2_download_min_size", "fast_list_bug_fix?"),
				unused("limits of a day are errors, and other requests go on", "stop_on_upload_limit?", "stop_on_download_limit?"),
				unused("they are left out always", "skip_dangling_shortcuts?"),
				unused("files are copied within the remote only", "server_side_across_configs?", "copy_shortcut_content?"),
				unused("checksums are those of the service", "skip_checksum_gphotos?"),
				ignored("files are stored as they are, and never become documents", "import_formats", "allow_import_name_change?"),
				ignored("sizes are those of the contents", "size_as_quota?"),
				ignored("times are those of the last change", "use_created_date?", "use_shared_date?"),
				ignored("all files are served", "auth_owner_only?", "starred_only?"),
				ignored("documents that cannot be exported are left out", "show_all_gdocs?"),
				ignored("the option has been replaced by export_formats", "formats"),
				ignored("folders that need one are not reached", "resource_key"),
				ignored("they are as the service makes them", "metadata_owner", "metadata_permissions", "metadata_labels", "metadata_enforce_expansive_access?"),
				unused("files are found by their folders", "alternate_export?"),
			),
		},
		open: openDrive,
	}
}

func openDrive(ctx context.Context, path string, v *values) (remote.Remote, error) {
	o := drive.Options{
		Name:                v.remote,
		Network:             v.env.Network,
		Scope:               v.str("scope"),
		RootFolderID:        v.str("root_folder_id"),
		TeamDrive:           v.str("team_drive"),
		SharedWithMe:        v.boolean("shared_with_me"),
		TrashedOnly:         v.boolean("trashed_only"),
		DeleteForever:       !v.boolean("use_trash"),
		SkipShortcut:        v.boolean("skip_shortcuts"),
		SkipDocuments:       v.boolean("skip_gdocs"),
		ExportFormats:       v.list("export_formats"),
		AcknowledgeAbuse:    v.boolean("acknowledge_abuse"),
		KeepRevisionForever: v.boolean("keep_revision_forever"),
		ChunkSize:           v.size("chunk_size"),
		UploadCutoff:        v.size("upload_cutoff"),
		ListChunk:           v.integer("list_chunk"),
		Endpoint:            v.str("endpoint"),
		Encoding:            parse(v, "encoding", nameenc.Parse),
	}
	switch {
	case v.str("service_account_credentials") != "":
		o.Account = drive.Account{JSON: v.str("service_account_credentials"), Subject: v.str("impersonate")}
	case v.str("service_account_file") != "":
		o.Account = drive.Account{File: v.str("service_account_file"), Subject: v.str("impersonate")}
	case v.boolean("env_auth") && v.str("token") == "":
		o.Account = drive.Account{Env: true}
	default:
		o.Tokens, o.Login = v.tokens(oauth2.Endpoint{}, drive.Scopes(o.Scope)...), v.login()
	}
	if v.err != nil {
		return nil, v.err
	}
	return drive.New(ctx, path, o)
}
