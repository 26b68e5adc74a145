package webdav

import (
	"fmt"
	"time"
)

// A vendor is what is known of a kind of server beyond the standard.
type vendor struct {
	atomicPut bool          // a PUT that is cut leaves the old file
	modTime   time.Duration // precision of the times that PUT takes in the header X-OC-Mtime; 0 = it takes none
	patchTime bool          // PROPPATCH of DAV:lastmodified sets the time of a file
	owncloud  bool          // has the properties of the name space of ownCloud
	// firstTime is the first modification time that the server takes, in seconds since 1970: a
	// request with an earlier one fails, some when the content is stored already. 0 = no limit is
	// known.
	firstTime int64
}

func findVendor(name string) (vendor, error) {
	switch name {
	case "", "other":
		return vendor{}, nil
	case "nextcloud", "owncloud", "infinitescale":
		return vendor{atomicPut: true, modTime: time.Second, patchTime: true, owncloud: true, firstTime: 24*60*60 + 1}, nil
	case "fastmail", "rclone":
		return vendor{modTime: time.Second}, nil
	case "sharepoint", "sharepoint-ntlm":
		return vendor{}, fmt.Errorf("webdav: option vendor: %s needs a login that ferry does not have: "+
			"run \"rclone serve webdav\" on it and use vendor=rclone", name)
	}
	return vendor{}, fmt.Errorf("webdav: option vendor: %q is none of nextcloud, owncloud, infinitescale, fastmail, rclone, other", name)
}
