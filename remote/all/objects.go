package all

import (
	"strconv"

	"ferry/config"
	"ferry/remote/objects"
)

// dirMoveLimit is an option of object stores.
func dirMoveLimit() config.Option {
	return config.Option{Name: "dir_move_limit", Default: strconv.Itoa(objects.DirMoveLimit), Help: "Most objects of a directory " +
		"that is renamed: each is copied and removed; -1 is no limit"}
}
