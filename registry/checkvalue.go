package registry

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ferry/config"
)

// CheckOption returns why an option of a type cannot be set to a value, nil if it may be: what a
// value means is found out by the one that opens the remote. The value never shows.
func CheckOption(t config.Type, name, value string) error {
	if o, ok := t.Option(name); ok {
		return CheckValue(o, value)
	}
	var known []string
	for _, o := range t.Settable() {
		known = append(known, o.Name)
	}
	meant := ""
	if near := config.Nearest(name, known); near != "" {
		meant = "did you mean " + near + "? "
	}
	return fmt.Errorf("type %s has no option %q: %s\"ferry help backends %s\" lists them", t.Name, name, meant, strings.ReplaceAll(t.Name, " ", ""))
}

// CheckValue is CheckOption for an option that there is. An option whose default is a number, a
// size, a duration, or true or false is one.
func CheckValue(o config.Option, value string) error {
	if value == "" || o.NoEffect() {
		return nil
	}
	var err error
	switch {
	case o.Choices != nil:
		if !slices.ContainsFunc(o.Choices, func(c string) bool { return strings.EqualFold(c, value) }) {
			err = errors.New("it is one of " + strings.Join(o.Choices, ", "))
		}
	case o.StandsAlone():
		err = readable(value, strconv.ParseBool)
	case readable(o.Default, strconv.Atoi) == nil:
		err = readable(value, strconv.Atoi)
	case readable(o.Default, config.ParseDuration) == nil:
		err = readable(value, config.ParseDuration)
	case readable(o.Default, config.ParseSize) == nil:
		err = readable(value, config.ParseSize)
	}
	if err != nil {
		return fmt.Errorf("option %s: %w", o.Name, err)
	}
	return nil
}

// readable returns how a value is written that read cannot read.
func readable[T any](value string, read func(string) (T, error)) error {
	zero, err := read(value)
	if err != nil {
		return errors.New(form(zero, err))
	}
	return nil
}
