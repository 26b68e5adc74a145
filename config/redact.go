package config

// Redacted is shown in place of a secret.
const Redacted = "***"

// Redact returns the text of the document with every secret replaced by Redacted; the name of the
// key and the type of the section decide. Comments are not changed.
func (d *Document) Redact() []byte {
	draft := d.Edit()
	for i, l := range d.lines {
		if l.kind != lineEntry || l.value == "" {
			continue
		}
		if typ, _ := d.Get(l.section, "type"); IsSecret(typ, l.key) {
			draft.replaceValue(i, Redacted)
		}
	}
	return draft.Bytes()
}

// RedactRemote returns a remote string without its parameters, which may be secrets.
func RedactRemote(what string) string {
	spec, err := ParseRemote(what)
	if err != nil || len(spec.Params) == 0 {
		return what
	}
	if spec.Name != "" {
		return spec.Name + ",...:" + spec.Path
	}
	return ":" + spec.Type + ",...:" + spec.Path
}
