package drive

import (
	"context"
	"strings"

	"ferry/remote"
)

// sharedRoot stands for the id of the root where that holds what others share.
const sharedRoot = "sharedWithMe"

// quoted writes a string into an expression.
func quoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// in is the expression for what is shown in a folder.
func (r *Remote) in(folder string) string {
	where := quoted(folder) + " in parents"
	if folder == sharedRoot {
		where = "sharedWithMe = true"
	}
	if r.options.TrashedOnly {
		return where + " and (trashed = true or mimeType = " + quoted(folderType) + ")"
	}
	return where + " and trashed = false"
}

// shown returns the name under which a file is shown, and why it is left out where it is.
func (r *Remote) shown(f *file) (name, omitted string) {
	extension := ""
	switch {
	case f.MimeType == shortcutType && (r.options.SkipShortcut || f.Shortcut == nil):
		return "", skipped
	case f.isDocument():
		if r.options.SkipDocuments {
			return "", skipped
		}
		form, ok := r.formatOf(f)
		if !ok {
			return "", "it is a document that is not read in any of export_formats"
		}
		extension = form.extension
	}
	name = r.show(f.Name)
	if r.write(name) != f.Name {
		return "", remote.OmittedEncoding
	}
	if name += extension; !remote.ValidName(name) {
		return "", remote.OmittedName
	}
	return name, ""
}

// skipped is why something is left out that nobody needs to hear of.
const skipped = "an option leaves it out"

// find returns what is called base in a folder, or ErrNotExist.
func (r *Remote) find(ctx context.Context, folder, base string) (item, error) {
	name := "name = " + quoted(r.write(base))
	if stem := r.stem(base); stem != "" {
		name = "(" + name + " or name = " + quoted(r.write(stem)) + ")"
	}
	var found []*file
	err := r.service.list(ctx, r.in(folder)+" and "+name, "", 100, fileFields, func(f *file) bool {
		if n, omitted := r.shown(f); omitted == "" && n == base { // the service does not mind the case
			found = append(found, f)
		}
		return true
	})
	if err != nil {
		return item{}, err
	}
	if len(found) == 0 {
		f, err := r.lately(ctx, folder, r.write(base))
		if err != nil {
			return item{}, err
		}
		if f == nil || f.isDocument() {
			return item{}, remote.ErrNotExist
		}
		found = append(found, f)
	}
	counts, others := choose(found)
	r.seen.note(counts, folder, base)
	return item{counts, others}, nil
}

// content returns the file that f is or leads to. One that leads nowhere is ErrNotExist.
func (r *Remote) content(ctx context.Context, f *file) (*file, error) {
	if f.Shortcut == nil {
		return f, nil
	}
	to, err := r.service.get(ctx, f.Shortcut.TargetID, fileFields)
	switch {
	case isGone(err):
		return nil, remote.ErrNotExist
	case err != nil:
		return nil, err
	case to.Trashed && !r.options.TrashedOnly || to.Shortcut != nil:
		return nil, remote.ErrNotExist
	}
	return to, nil
}
