package registry

import (
	"errors"
	"strconv"

	"ferry/config"
	"ferry/remote/driver/s3"
)

// oddNames is an option of object stores.
func oddNames() config.Option {
	return config.Option{Name: "odd_names", Default: "skip", Help: "What to do with keys that are no paths, as a//b: " +
		"leave them out (skip), or show them as a/odd==/b (encode)"}
}

func parseOddNames(s string) (encode bool, err error) {
	if encode = s == "encode"; !encode && s != "skip" {
		err = errors.New("it is skip or encode")
	}
	return encode, err
}

// keptParts are options of object stores.
func keptParts() []config.Option {
	return []config.Option{
		{Name: "keep_parts", Default: "true", Help: "Keep uploads that were cut, described under .ferry-parts/ at the top, so that any ferry continues them"},
		{Name: "partial_max_age", Default: "24h", Help: "Time for which an unfinished upload can be continued"},
	}
}

// dirMoveLimit is an option of object stores.
func dirMoveLimit() config.Option {
	return config.Option{Name: "dir_move_limit", Default: strconv.Itoa(s3.DirMoveLimit), Help: "Most objects of a directory " +
		"that is renamed: each is copied and removed; -1 is no limit"}
}
