package drive

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// DefaultFormats are the forms that documents are read in unless Options say otherwise.
func DefaultFormats() []string { return []string{"docx", "xlsx", "pptx", "svg"} }

// A format is a form that documents can be exported in.
type format struct {
	extension string // with its dot
	mimeType  string
	of        []string // kinds of documents
}

// The kinds of documents that can be exported.
const (
	text    = googleTypes + "document"
	sheet   = googleTypes + "spreadsheet"
	slides  = googleTypes + "presentation"
	drawing = googleTypes + "drawing"
	script  = googleTypes + "script"
)

// allFormats are what the service offers, by its documentation.
func allFormats() []format {
	office := "application/vnd.openxmlformats-officedocument."
	open := "application/vnd.oasis.opendocument."
	return []format{
		{".docx", office + "wordprocessingml.document", []string{text}},
		{".odt", open + "text", []string{text}},
		{".rtf", "application/rtf", []string{text}},
		{".epub", "application/epub+zip", []string{text}},
		{".md", "text/markdown", []string{text}},
		{".txt", "text/plain", []string{text, slides}},
		{".pdf", "application/pdf", []string{text, sheet, slides, drawing}},
		{".zip", "application/zip", []string{text, sheet}},
		{".xlsx", office + "spreadsheetml.sheet", []string{sheet}},
		{".ods", "application/x-vnd.oasis.opendocument.spreadsheet", []string{sheet}},
		{".csv", "text/csv", []string{sheet}},
		{".tsv", "text/tab-separated-values", []string{sheet}},
		{".pptx", office + "presentationml.presentation", []string{slides}},
		{".odp", open + "presentation", []string{slides}},
		{".svg", "image/svg+xml", []string{drawing}},
		{".png", "image/png", []string{drawing}},
		{".jpg", "image/jpeg", []string{drawing}},
		{".json", "application/vnd.google-apps.script+json", []string{script}},
	}
}

// parseFormats finds formats by their extensions. jpeg and htm are known by their other names.
func parseFormats(extensions []string) ([]format, error) {
	if extensions == nil {
		extensions = DefaultFormats()
	}
	all := allFormats()
	var found []format
	for _, extension := range extensions {
		wanted := "." + strings.TrimPrefix(strings.ToLower(extension), ".")
		if wanted == ".jpeg" {
			wanted = ".jpg"
		}
		i := slices.IndexFunc(all, func(f format) bool { return f.extension == wanted })
		if i < 0 {
			return nil, fmt.Errorf("drive: option export_formats has %q, which no document is exported as: use docx, xlsx, pptx, svg, odt, pdf, txt or another of Google's", extension)
		}
		found = append(found, all[i])
	}
	return found, nil
}

// formatOf returns what a document is read as; false where nothing is.
func (r *Remote) formatOf(f *file) (format, bool) {
	if r.options.SkipDocuments {
		return format{}, false
	}
	for _, one := range r.formats {
		if slices.Contains(one.of, f.MimeType) {
			return one, true
		}
	}
	return format{}, false
}

// stem returns the name of a document that would be shown as name, "" where none would.
func (r *Remote) stem(name string) string {
	if r.options.SkipDocuments {
		return ""
	}
	extension := path.Ext(name)
	if extension == name || !slices.ContainsFunc(r.formats, func(f format) bool { return f.extension == extension }) {
		return ""
	}
	return strings.TrimSuffix(name, extension)
}
