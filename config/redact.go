package config

// Redacted is what is shown in the place of a secret.
const Redacted = "***"

// Redact returns the text of the document with Redacted in the place of every value that is a secret by the name of its
// key and the type of its section. Comments stay as they are.
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
