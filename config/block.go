package config

// A block is a header, the comments directly above it, and the lines down to the next block. The
// first block may have no header.
type block struct {
	name  string
	lines []line
}

// blocks splits the document into its blocks.
func (d *Document) blocks() []block {
	var blocks []block
	start, name := 0, DefaultSection
	for i, l := range d.lines {
		if l.kind != lineHeader {
			continue
		}
		first := i
		for first > start && d.lines[first-1].kind == lineComment {
			first--
		}
		if first > start {
			blocks = append(blocks, block{name, d.lines[start:first]})
		}
		start, name = first, l.section
	}
	return append(blocks, block{name, d.lines[start:]})
}

// detached returns the comments at the end of the block that an empty line separates from its
// entries: they belong to something else, and stay when the section is removed.
func (b block) detached() []line {
	last := len(b.lines)
	for last > 0 && (b.lines[last-1].kind == lineBlank || b.lines[last-1].kind == lineComment) {
		last--
	}
	rest := b.lines[last:]
	for len(rest) > 0 && rest[0].kind == lineComment {
		rest = rest[1:]
	}
	for len(rest) > 0 && rest[0].kind == lineBlank {
		rest = rest[1:]
	}
	return rest
}
