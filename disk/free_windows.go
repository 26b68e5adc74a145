package disk

import (
	"os"

	"golang.org/x/sys/windows"
)

// freeBytes returns how many bytes the process may still write on the file system of dir.
func freeBytes(dir *os.File) (int64, error) {
	path, err := windows.UTF16PtrFromString(dir.Name())
	if err != nil {
		return 0, err
	}
	var available uint64
	if err := windows.GetDiskFreeSpaceEx(path, &available, nil, nil); err != nil {
		return 0, err
	}
	return int64(available), nil
}
