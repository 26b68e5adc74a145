package local

import "golang.org/x/sys/windows"

// usage counts in bytes; free is what the process may still use.
func (t *rootTree) usage() (total, free int64, err error) {
	path, err := windows.UTF16PtrFromString(t.root.Name())
	if err != nil {
		return 0, 0, err
	}
	var available, all, unused uint64
	if err := windows.GetDiskFreeSpaceEx(path, &available, &all, &unused); err != nil {
		return 0, 0, err
	}
	return int64(all), int64(available), nil
}
