package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"time"
)

// A bill of materials in the form of CycloneDX 1.5 (JSON): which modules are in a binary, in which
// version, with the checksum of go.sum.
type (
	bom struct {
		Format   string      `json:"bomFormat"`
		Spec     string      `json:"specVersion"`
		Version  int         `json:"version"`
		Metadata bomMetadata `json:"metadata"`
		Parts    []component `json:"components"`
	}
	bomMetadata struct {
		Time      string    `json:"timestamp"`
		Component component `json:"component"`
	}
	component struct {
		Type    string    `json:"type"`
		Name    string    `json:"name"`
		Version string    `json:"version"`
		PURL    string    `json:"purl,omitempty"`
		Hashes  []bomHash `json:"hashes,omitempty"`
		Facts   []bomFact `json:"properties,omitempty"`
	}
	bomHash struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	bomFact struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

// writeBOM writes the bill of materials of a Go binary.
func writeBOM(path, binary, version string, when time.Time) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	b := bom{Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: bomMetadata{
		Time: when.UTC().Format(time.RFC3339),
		Component: component{
			Type: "application", Name: "ferry", Version: version, Hashes: []bomHash{{"SHA-256", hex.EncodeToString(sum[:])}},
		},
	}}
	b.Parts = append(b.Parts, component{Type: "platform", Name: "go", Version: info.GoVersion, PURL: "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go")})
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c := component{Type: "library", Name: m.Path, Version: m.Version, PURL: "pkg:golang/" + m.Path + "@" + m.Version}
		if m.Sum != "" { // a hash of hashes, not one of a file
			c.Facts = []bomFact{{"go.sum", m.Sum}}
		}
		b.Parts = append(b.Parts, c)
	}
	text, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
