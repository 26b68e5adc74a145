// Package chunks reads files ahead and writes them behind, in chunks of which several are under way
// at a time, for drivers whose servers have random access: so that the distance to the server costs
// little. reader.go reads, writer.go writes.
package chunks

// Size is how much is asked for, or written, at a time.
const Size = 256 << 10
