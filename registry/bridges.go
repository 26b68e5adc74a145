package registry

import (
	"slices"

	"ferry/config"
)

// bridgesBeside lists what rclone has and drivers do not, by name.
func bridgesBeside(drivers []Driver) []config.Bridge {
	all := []config.Bridge{
		{Type: "archive", About: "archives of another remote", Serve: "webdav"},
		{Type: "azurefiles", About: "Microsoft Azure Files", Serve: "webdav"},
		{Type: "box", About: "Box", Serve: "webdav"},
		{Type: "chunker", About: "files of another remote in chunks", Serve: "webdav"},
		{Type: "cloudinary", About: "Cloudinary", Serve: "webdav"},
		{Type: "compress", About: "files of another remote, compressed", Serve: "webdav"},
		{Type: "crypt", About: "files of another remote, encrypted", Serve: "webdav"},
		{Type: "doi", About: "data sets with a DOI", Serve: "webdav"},
		{Type: "dosya", About: "dosya.dev", Serve: "webdav"},
		{Type: "drime", About: "Drime", Serve: "webdav"},
		{Type: "drive", About: "Google Drive", Serve: "webdav"},
		{Type: "dropbox", About: "Dropbox", Serve: "webdav"},
		{Type: "fichier", About: "1Fichier", Serve: "webdav"},
		{Type: "filefabric", About: "Enterprise File Fabric", Serve: "webdav"},
		{Type: "filelu", About: "FileLu", Serve: "webdav"},
		{Type: "filen", About: "Filen", Serve: "webdav"},
		{Type: "filescom", About: "Files.com", Serve: "webdav"},
		{Type: "gofile", About: "Gofile", Serve: "webdav"},
		{Type: "google photos", About: "Google Photos", Serve: "webdav"},
		{Type: "hasher", About: "another remote, with sums kept beside it", Serve: "webdav"},
		{Type: "hdfs", About: "Hadoop's file system", Serve: "webdav"},
		{Type: "hidrive", About: "HiDrive", Serve: "webdav"},
		{Type: "huaweidrive", About: "Huawei Drive", Serve: "webdav"},
		{Type: "iclouddrive", About: "iCloud Drive", Serve: "webdav"},
		{Type: "imagekit", About: "ImageKit", Serve: "webdav"},
		{Type: "internetarchive", About: "Internet Archive", Serve: "webdav"},
		{Type: "internxt", About: "Internxt", Serve: "webdav"},
		{Type: "jottacloud", About: "Jottacloud", Serve: "webdav"},
		{Type: "kdrive", About: "Infomaniak kDrive", Serve: "webdav"},
		{Type: "koofr", About: "Koofr and Digi Storage", Serve: "webdav"},
		{Type: "linkbox", About: "Linkbox", Serve: "webdav"},
		{Type: "mailru", About: "Mail.ru Cloud", Serve: "webdav"},
		{Type: "mega", About: "Mega", Serve: "webdav"},
		{Type: "netstorage", About: "Akamai NetStorage", Serve: "webdav"},
		{Type: "onedrive", About: "Microsoft OneDrive", Serve: "webdav"},
		{Type: "opendrive", About: "OpenDrive", Serve: "webdav"},
		{Type: "oracleobjectstorage", About: "Oracle Object Storage", Serve: "s3"},
		{Type: "pcloud", About: "pCloud", Serve: "webdav"},
		{Type: "pikpak", About: "PikPak", Serve: "webdav"},
		{Type: "pixeldrain", About: "Pixeldrain", Serve: "webdav"},
		{Type: "premiumizeme", About: "premiumize.me", Serve: "webdav"},
		{Type: "protondrive", About: "Proton Drive", Serve: "webdav"},
		{Type: "putio", About: "put.io", Serve: "webdav"},
		{Type: "qingstor", About: "QingCloud Object Storage", Serve: "s3"},
		{Type: "quatrix", About: "Quatrix", Serve: "webdav"},
		{Type: "seafile", About: "Seafile", Serve: "webdav"},
		{Type: "shade", About: "Shade", Serve: "webdav"},
		{Type: "sharefile", About: "Citrix ShareFile", Serve: "webdav"},
		{Type: "sia", About: "Sia", Serve: "webdav"},
		{Type: "storj", About: "Storj", Serve: "s3"},
		{Type: "sugarsync", About: "SugarSync", Serve: "webdav"},
		{Type: "swift", About: "OpenStack Swift", Serve: "s3"},
		{Type: "tardigrade", About: "Storj", Serve: "s3"},
		{Type: "ulozto", About: "Uloz.to", Serve: "webdav"},
		{Type: "yandex", About: "Yandex Disk", Serve: "webdav"},
		{Type: "zoho", About: "Zoho WorkDrive", Serve: "webdav"},
	}
	return slices.DeleteFunc(all, func(b config.Bridge) bool {
		return slices.ContainsFunc(drivers, func(d Driver) bool { return d.Name == b.Type })
	})
}
