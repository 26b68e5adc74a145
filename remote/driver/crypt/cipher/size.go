package cipher

// The parts of a file.
const (
	BlockData  = 64 << 10             // plain bytes of a whole block
	Overhead   = 16                   // of each block: its tag
	BlockSize  = Overhead + BlockData // of a whole block
	HeaderSize = int64(len(magic)) + nonceSize
)

// EncryptedSize returns the length of the file that holds size plain bytes.
func EncryptedSize(size int64) int64 {
	return HeaderSize + size + Overhead*((size+BlockData-1)/BlockData)
}

// PlainSize returns how many plain bytes a file of that length holds; false when no file has that
// length.
func PlainSize(size int64) (int64, bool) {
	if size < HeaderSize {
		return 0, false
	}
	blocks, rest := (size-HeaderSize)/BlockSize, (size-HeaderSize)%BlockSize
	switch {
	case rest == 0:
		return blocks * BlockData, true
	case rest <= Overhead:
		return 0, false
	}
	return blocks*BlockData + rest - Overhead, true
}
