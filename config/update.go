package config

import (
	"context"
	"errors"
	"fmt"
)

// updates is how often Update makes a value anew because others have changed it meanwhile.
const updates = 5

var errBusy = errors.New("others change the option all the time")

// Update sets a key of a section that is there to what change makes of its value. The file is read
// anew before. While change runs, no process writes that uses the same Lock; where one that does
// not has changed the value meanwhile, change is called again with that one. An error of change
// leaves the file as it is.
func (f *File) Update(ctx context.Context, section, key string, change func(current string) (next string, err error)) error {
	release, err := f.lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	for range updates {
		current, err := f.value(ctx, section, key)
		if err != nil {
			return err
		}
		next, err := change(current)
		if err != nil || next == current {
			return err
		}
		err = f.write(ctx, true, func(d *Draft) error {
			if now, _ := d.own(section, key); now != current {
				return errBusy
			}
			return d.Set(section, key, next)
		}, func(key *fileKey) *fileKey { return key })
		if err != errBusy {
			return err
		}
	}
	return fmt.Errorf("%s: %w", f.path, errBusy)
}

// value returns what a section itself has for a key, in the file as it is now.
func (f *File) value(ctx context.Context, section, key string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reread(ctx)
	if f.bad != nil {
		return "", f.bad
	}
	value, ok := f.doc.own(section, key)
	if !ok && !f.doc.Has(section) {
		return "", fmt.Errorf("%s: there is no section %q any more", f.path, section)
	}
	return value, nil
}
