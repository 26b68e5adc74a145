package objects

// fewPieces is in how many pieces a file is sent at most, where the memory for it is there.
const fewPieces = 1000

// Piece returns how long the pieces are in which a file of size bytes is sent: least, unless there
// would be more than a thousand of them. They become longer as long as two fit memory, and beyond
// that only where most of them would not be enough.
func Piece(size, least, memory int64, most int) int64 {
	wanted := max(least, min((size+fewPieces-1)/fewPieces, memory/2))
	wanted = max(wanted, (size+int64(most)-1)/int64(most))
	if wanted == least {
		return least
	}
	unit := min(least, 1<<20)
	return (wanted + unit - 1) / unit * unit
}
